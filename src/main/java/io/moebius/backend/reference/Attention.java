package io.moebius.backend.reference;

import io.moebius.backend.Batch;
import io.moebius.backend.KvStorage;
import io.moebius.backend.Rope;

/** Rotary embedding, the cache's write, and causal attention with grouped queries. */
final class Attention {

    private Attention() {}

    /** Rotates the pairs (i, i + headDim / 2) of every head of row t by position * frequencies[i]. */
    static void rotate(DoubleTensor x, int t, int position, Rope rope) {
        int half = rope.headDim() / 2;
        for (int head = 0; head < x.columns(); head += rope.headDim()) {
            for (int i = 0; i < half; i++) {
                double angle = position * rope.frequencies()[i];
                double cos = rope.factor() * Math.cos(angle);
                double sin = rope.factor() * Math.sin(angle);
                double a = x.at(t, head + i);
                double b = x.at(t, head + half + i);
                x.set(t, head + i, a * cos - b * sin);
                x.set(t, head + half + i, b * cos + a * sin);
            }
        }
    }

    static void store(DoubleTensor key, DoubleTensor value, int t, int slot, DoubleKvCache cache, int layer) {
        double[] keys = Linear.row(key, t);
        double[] values = Linear.row(value, t);
        switch (cache.shape().storage()) {
            case KvStorage.Native() -> {}
            case KvStorage.BFloat16() -> {
                roundBFloat16(keys);
                roundBFloat16(values);
            }
            case KvStorage.Fp8 fp8 -> {
                Quantizer.quantize(keys, 0, keys.length, fp8.keyScale(layer), keys);
                Quantizer.quantize(values, 0, values.length, fp8.valueScale(layer), values);
            }
        }
        cache.keys()[layer][slot] = keys;
        cache.values()[layer][slot] = values;
    }

    static void roundBFloat16(double[] x) {
        for (int i = 0; i < x.length; i++) {
            int bits = Float.floatToRawIntBits((float) x[i]);
            x[i] = Float.intBitsToFloat(bits + 0x7fff + (bits >> 16 & 1) & 0xffff0000);
        }
    }

    static void attend(Batch batch, int sequence, int t, DoubleTensor query, DoubleKvCache cache, int layer, DoubleTensor out) {
        int headDim = cache.shape().headDim();
        int heads = query.columns() / headDim;
        int group = heads / cache.shape().heads();
        int[] table = batch.blockTables()[sequence];
        int first = cache.shape().firstSeen(batch.positions()[t]);
        int length = batch.positions()[t] + 1 - first;
        for (int head = 0; head < heads; head++) {
            int from = head / group * headDim;
            double[] probabilities = new double[length];
            for (int p = 0; p < length; p++) {
                double[] key = cache.keys()[layer][DoubleKvCache.slot(table, first + p)];
                double dot = 0;
                for (int i = 0; i < headDim; i++) {
                    dot += query.at(t, head * headDim + i) * key[from + i];
                }
                probabilities[p] = dot / Math.sqrt(headDim);
            }
            Softmax.apply(probabilities);
            for (int i = 0; i < headDim; i++) {
                double sum = 0;
                for (int p = 0; p < length; p++) {
                    sum += probabilities[p] * cache.values()[layer][DoubleKvCache.slot(table, first + p)][from + i];
                }
                out.set(t, head * headDim + i, sum);
            }
        }
    }
}
