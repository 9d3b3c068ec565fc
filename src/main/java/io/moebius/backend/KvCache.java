package io.moebius.backend;

/** Keys and values of all layers, paged in blocks of {@link #BLOCK_TOKENS} tokens. */
public interface KvCache {

    int BLOCK_TOKENS = 16;

    int blocks();

    /**
     * What one token of one layer needs.
     *
     * @param layers decoder layers
     * @param heads  key/value heads
     * @param headDim channels of a head
     */
    record Shape(int layers, int heads, int headDim) {}
}
