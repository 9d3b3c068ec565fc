package io.moebius.backend;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Keys and values of all layers, paged in blocks of {@link #BLOCK_TOKENS} tokens. */
public interface KvCache {

    int BLOCK_TOKENS = 16;

    int blocks();

    /**
     * What a decoder keeps of every token.
     *
     * @param layers  decoder layers
     * @param heads   key/value heads
     * @param headDim channels of a head
     * @param window  a token sees itself and the window - 1 tokens before it; 0: all
     */
    record Shape(int layers, int heads, int headDim, int window, KvStorage storage) {

        /** All tokens, in the backend's own arithmetic. */
        public Shape(int layers, int heads, int headDim) {
            this(layers, heads, headDim, 0, new KvStorage.Native());
        }

        public Shape stored(KvStorage other) {
            return new Shape(layers, heads, headDim, window, other);
        }

        /** The first position that the token at {@code position} sees. */
        public int firstSeen(int position) {
            return window == 0 ? 0 : Math.max(0, position - window + 1);
        }

        /** Tokens whose keys and values attention reads in a step; what several tokens of a sequence see counts once. */
        public long tokensRead(Batch batch) {
            return read(batch).asLongStream().sum();
        }

        /** The most of them that a sequence has. */
        public int longestRead(Batch batch) {
            return read(batch).max().orElse(0);
        }

        private IntStream read(Batch batch) {
            return IntStream.range(0, batch.sequences()).map(s -> {
                int first = batch.positions()[batch.offsets()[s]];
                int last = batch.positions()[batch.offsets()[s + 1] - 1];
                return last + 1 - firstSeen(first);
            });
        }

        /** Pairs of a token of the step and one that it sees, itself included. */
        public long tokensSeen(Batch batch) {
            return Arrays.stream(batch.positions()).mapToLong(position -> position + 1L - firstSeen(position)).sum();
        }
    }
}
