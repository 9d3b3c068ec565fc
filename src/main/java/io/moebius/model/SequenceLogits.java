package io.moebius.model;

import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import java.util.stream.IntStream;

/** Logits of one sequence at a time, on a decoder with a cache of its own. */
public final class SequenceLogits {

    private final Decoder decoder;
    private final KvCache cache;
    private final int[] blocks;

    /** @param maxTokens of the longest sequence */
    public SequenceLogits(Decoder decoder, int maxTokens) {
        this(decoder, decoder.kvShape(), maxTokens);
    }

    SequenceLogits(Decoder decoder, KvCache.Shape shape, int maxTokens) {
        this.decoder = decoder;
        this.blocks = IntStream.rangeClosed(0, maxTokens / KvCache.BLOCK_TOKENS).toArray();
        this.cache = decoder.backend().kvCache(shape, blocks.length);
    }

    /** [ids, vocabulary]: of every position of a prompt. */
    public float[][] of(int... prompt) {
        return of(prompt, 0, prompt.length);
    }

    /**
     * [ids, vocabulary]: of the tokens from position {@code first} on, behind those that came last.
     *
     * @param promptTokens of the sequence; tokens behind them were generated
     */
    float[][] of(int[] ids, int first, int promptTokens) {
        int[] rows = IntStream.range(0, ids.length).toArray();
        int[] positions = IntStream.range(first, first + ids.length).toArray();
        Batch batch = new Batch(ids, positions, new int[] {0, ids.length}, new int[][] {blocks}, rows, new int[] {promptTokens});
        Tensor logits = decoder.forward(batch, cache);
        float[][] out = new float[ids.length][decoder.vocabulary()];
        for (int row : rows) {
            decoder.backend().read(logits, row, out[row]);
        }
        return out;
    }
}
