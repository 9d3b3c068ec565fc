package io.moebius.launch;

import io.moebius.backend.Backend;
import io.moebius.backend.KvCache;

/**
 * How many KV-cache blocks to allocate: as many as all sequences could need at their longest, within the
 * memory that they may take once the weights are in.
 *
 * @param blocks     blocks of {@link KvCache#BLOCK_TOKENS} tokens
 * @param blockBytes bytes of one block
 */
record MemoryPlan(int blocks, long blockBytes) {

    /** Bytes that a cache may take: of the device's own memory, or of the host's. */
    static long room(Backend backend) {
        return backend.freeBytes().orElseGet(() -> room(FreeMemory.bytes(), backend.bytesToCome()));
    }

    /**
     * Bytes of the host's memory that a cache may take: half of what is free.
     *
     * @param toCome bytes that the weights will still take
     * @throws StartException if not even those are free
     */
    static long room(long free, long toCome) {
        if (toCome > free) {
            throw new StartException(
                    ExitCode.OUT_OF_MEMORY,
                    "the weights need %d MiB more, %d MiB are free; give more memory".formatted(Math.ceilDiv(toCome, 1L << 20), free >> 20));
        }
        return (free - toCome) / 2;
    }

    /**
     * @param room              bytes that the cache may take
     * @param maxSequences      sequences in a step
     * @param maxSequenceLength tokens of the longest sequence
     * @param lengthFlag        what asked for it
     * @throws StartException if not even one sequence of that length fits
     */
    static MemoryPlan of(long room, long blockBytes, int maxSequences, int maxSequenceLength, Flag lengthFlag) {
        long blocksPerSequence = Math.ceilDiv(maxSequenceLength, KvCache.BLOCK_TOKENS);
        long affordable = room / blockBytes;
        if (affordable < blocksPerSequence) {
            throw new StartException(
                    ExitCode.OUT_OF_MEMORY,
                    "the KV cache of one sequence of %d tokens needs %d MiB, %d MiB are free for it; give %smore memory"
                            .formatted(
                                    maxSequenceLength,
                                    Math.ceilDiv(blocksPerSequence * blockBytes, 1L << 20),
                                    room >> 20,
                                    affordable == 0
                                            ? ""
                                            : "%s of %d tokens at most, or ".formatted(
                                                    lengthFlag.option(), affordable * KvCache.BLOCK_TOKENS)));
        }
        long wanted = Math.multiplyExact(blocksPerSequence, (long) maxSequences);
        return new MemoryPlan((int) Math.min(Math.min(wanted, affordable), Integer.MAX_VALUE / KvCache.BLOCK_TOKENS), blockBytes);
    }

    long bytes() {
        return blocks * blockBytes;
    }

    int tokens() {
        return blocks * KvCache.BLOCK_TOKENS;
    }
}
