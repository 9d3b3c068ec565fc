package io.moebius.backend.reference;

import io.moebius.backend.KvCache;

/** Float64 keys and values, [layers][blocks * 16 slots][kvHeads * headDim]. */
record DoubleKvCache(Shape shape, int blocks, double[][][] keys, double[][][] values) implements KvCache {

    static DoubleKvCache of(Shape shape, int blocks) {
        int width = shape.heads() * shape.headDim();
        int slots = Math.multiplyExact(blocks, BLOCK_TOKENS);
        return new DoubleKvCache(
                shape, blocks, new double[shape.layers()][slots][width], new double[shape.layers()][slots][width]);
    }

    static int slot(int[] blockTable, int position) {
        return blockTable[position / BLOCK_TOKENS] * BLOCK_TOKENS + position % BLOCK_TOKENS;
    }
}
