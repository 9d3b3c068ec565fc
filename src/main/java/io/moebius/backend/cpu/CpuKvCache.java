package io.moebius.backend.cpu;

import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;
import java.util.Arrays;

/**
 * Keys, [layers][blocks][heads][headDim][16], and values, [layers][blocks][heads][16][headDim], in native memory; float32 unless
 * stored smaller.
 */
record CpuKvCache(Shape shape, int blocks, long keys, long values) implements KvCache {

    static long bytes(Shape shape, int blocks) {
        return (long) shape.layers() * blocks * BLOCK_TOKENS * shape.heads() * shape.headDim() * type(shape).bytes();
    }

    static DType type(Shape shape) {
        return switch (shape.storage()) {
            case KvStorage.Native() -> DType.F32;
            case KvStorage.BFloat16() -> DType.BF16;
            case KvStorage.Fp8 fp8 -> DType.E4M3;
        };
    }

    float keyScale(int layer) {
        return shape.storage().keyScale(layer);
    }

    float valueScale(int layer) {
        return shape.storage().valueScale(layer);
    }

    long keys(int layer) {
        return keys + layer * bytes(shape, blocks) / shape.layers();
    }

    long values(int layer) {
        return values + layer * bytes(shape, blocks) / shape.layers();
    }

    /** The slot of every token of the batch, each checked: it becomes an address. */
    int[] slots(Batch batch) {
        int[] slots = new int[batch.size()];
        for (int s = 0; s < batch.sequences(); s++) {
            for (int t = batch.offsets()[s]; t < batch.offsets()[s + 1]; t++) {
                int position = batch.positions()[t];
                slots[t] = block(batch.blockTables()[s], position) * BLOCK_TOKENS + position % BLOCK_TOKENS;
            }
        }
        return slots;
    }

    /** Where in {@link #tables} each token's block table begins. */
    int[] tableOffsets(Batch batch) {
        int[] offsets = new int[batch.size()];
        int begin = 0;
        for (int s = 0; s < batch.sequences(); s++) {
            for (int t = batch.offsets()[s]; t < batch.offsets()[s + 1]; t++) {
                offsets[t] = begin;
                block(batch.blockTables()[s], batch.positions()[t]);
            }
            begin += batch.blockTables()[s].length;
        }
        return offsets;
    }

    /** All block tables one after the other, each entry checked. */
    int[] tables(Batch batch) {
        int[] tables = Arrays.stream(batch.blockTables()).flatMapToInt(Arrays::stream).toArray();
        for (int block : tables) {
            check(block);
        }
        return tables;
    }

    private int block(int[] table, int position) {
        if (position < 0 || position / BLOCK_TOKENS >= table.length) {
            throw new IllegalArgumentException(
                    "position %d of a sequence with %d cache blocks".formatted(position, table.length));
        }
        return check(table[position / BLOCK_TOKENS]);
    }

    private int check(int block) {
        if (block < 0 || block >= blocks) {
            throw new IllegalArgumentException("cache block %d of %d".formatted(block, blocks));
        }
        return block;
    }
}
