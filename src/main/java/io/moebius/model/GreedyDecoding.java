package io.moebius.model;

import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import java.util.stream.IntStream;

/** One sequence at a time on a decoder of its own cache: prompt logits, then the likeliest token again and again. */
public final class GreedyDecoding {

    private final Decoder decoder;
    private final KvCache cache;
    private final int[] blocks;

    public GreedyDecoding(Decoder decoder, int maxTokens) {
        this(decoder, decoder.kvShape(), maxTokens);
    }

    public GreedyDecoding(Decoder decoder, KvCache.Shape shape, int maxTokens) {
        this.decoder = decoder;
        this.blocks = IntStream.rangeClosed(0, maxTokens / KvCache.BLOCK_TOKENS).toArray();
        this.cache = decoder.backend().kvCache(shape, blocks.length);
    }

    /** Logits [ids, vocabulary] of every position of a prompt. */
    public float[][] prompt(int... ids) {
        int[] positions = IntStream.range(0, ids.length).toArray();
        return run(ids, positions, positions, ids.length);
    }

    /** The next {@code count} tokens after {@code prompt}. */
    public int[] continuation(int[] prompt, int count) {
        int[] output = new int[count];
        float[] logits = prompt(prompt)[prompt.length - 1];
        for (int i = 0; i < count; i++) {
            output[i] = likeliest(logits);
            if (i + 1 < count) {
                logits = run(new int[] {output[i]}, new int[] {prompt.length + i}, new int[] {0}, prompt.length)[0];
            }
        }
        return output;
    }

    private float[][] run(int[] ids, int[] positions, int[] rows, int promptLength) {
        Batch batch = new Batch(ids, positions, new int[] {0, ids.length}, new int[][] {blocks}, rows, new int[] {promptLength});
        Tensor logits = decoder.forward(batch, cache);
        float[][] out = new float[rows.length][decoder.vocabulary()];
        for (int i = 0; i < rows.length; i++) {
            decoder.backend().read(logits, i, out[i]);
        }
        return out;
    }

    private static int likeliest(float[] logits) {
        return IntStream.range(0, logits.length).reduce((a, b) -> logits[b] > logits[a] ? b : a).orElseThrow();
    }
}
