package io.moebius.backend.cuda;

import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;

/**
 * Keys and values, [layers][blocks + 1][heads][16][paddedDim] each. The last block of a layer is nobody's: rows that only fill up a
 * recorded step write there.
 */
record CudaKvCache(Shape shape, int blocks, int paddedDim, long keys, long values) implements KvCache {

    /** Of the keys, or the values, of one block of one layer. */
    static long blockBytes(Shape shape, int paddedDim) {
        return (long) BLOCK_TOKENS * shape.heads() * paddedDim * (type(shape) == CudaKernels.E4M3 ? 1 : 2);
    }

    /** Of keys, or of values. */
    static long bytes(Shape shape, int paddedDim, int blocks) {
        return shape.layers() * (blocks + 1L) * blockBytes(shape, paddedDim);
    }

    static int type(Shape shape) {
        return shape.storage() instanceof KvStorage.Fp8 ? CudaKernels.E4M3 : CudaKernels.BF16;
    }

    int type() {
        return type(shape);
    }

    float keyScale(int layer) {
        return shape.storage().keyScale(layer);
    }

    float valueScale(int layer) {
        return shape.storage().valueScale(layer);
    }

    long keys(int layer) {
        return keys + layer * (blocks + 1L) * blockBytes(shape, paddedDim);
    }

    long values(int layer) {
        return values + layer * (blocks + 1L) * blockBytes(shape, paddedDim);
    }

    /** Every entry of the batch's tables, and the place of every token: they become addresses. */
    void check(Batch batch) {
        for (int s = 0; s < batch.sequences(); s++) {
            int[] table = batch.blockTables()[s];
            for (int block : table) {
                if (block < 0 || block >= blocks) {
                    throw new IllegalArgumentException("cache block %d of %d".formatted(block, blocks));
                }
            }
            for (int t = batch.offsets()[s]; t < batch.offsets()[s + 1]; t++) {
                int position = batch.positions()[t];
                if (position < 0 || position / BLOCK_TOKENS >= table.length) {
                    throw new IllegalArgumentException("position %d of a sequence with %d cache blocks".formatted(position, table.length));
                }
            }
        }
    }
}
