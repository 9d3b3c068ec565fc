package io.moebius.backend.reference;

import io.moebius.backend.KvCache;

/** Float32 keys and values, [layers][blocks * 16 slots][kvHeads * headDim]. */
record FloatKvCache(Shape shape, int blocks, float[][][] keys, float[][][] values) implements KvCache {

    static FloatKvCache of(Shape shape, int blocks) {
        int width = shape.heads() * shape.headDim();
        int slots = Math.multiplyExact(blocks, BLOCK_TOKENS);
        return new FloatKvCache(
                shape, blocks, new float[shape.layers()][slots][width], new float[shape.layers()][slots][width]);
    }

    static int slot(int[] blockTable, int position) {
        return blockTable[position / BLOCK_TOKENS] * BLOCK_TOKENS + position % BLOCK_TOKENS;
    }
}
