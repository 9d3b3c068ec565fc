package io.moebius.backend.reference;

import io.moebius.backend.KvCache;

/** Float64 keys and values, [layers][blocks * 16 slots][kvHeads * headDim]. */
record DoubleKvCache(Shape shape, int blocks, double[][][] keys, double[][][] values) implements KvCache {

    /** Rows are made when they are stored, so that a large cache costs what is used of it. */
    static DoubleKvCache of(Shape shape, int blocks) {
        int slots = Math.multiplyExact(blocks, BLOCK_TOKENS);
        return new DoubleKvCache(shape, blocks, new double[shape.layers()][slots][], new double[shape.layers()][slots][]);
    }

    static int slot(int[] blockTable, int position) {
        return blockTable[position / BLOCK_TOKENS] * BLOCK_TOKENS + position % BLOCK_TOKENS;
    }
}
