package io.moebius.launch;

import io.moebius.backend.KvCache;

/**
 * How many KV-cache blocks to allocate: as many as all sequences could need at their longest, within the
 * memory that they may take once the weights are in.
 *
 * @param blocks     blocks of {@link KvCache#BLOCK_TOKENS} tokens
 * @param blockBytes bytes of one block
 */
record MemoryPlan(int blocks, long blockBytes) {

    /**
     * @param room              bytes that the cache may take
     * @param maxSequences      sequences in a step
     * @param maxSequenceLength tokens of the longest sequence
     * @throws StartException if not even one sequence of that length fits
     */
    static MemoryPlan of(long room, long blockBytes, int maxSequences, int maxSequenceLength) {
        long blocksPerSequence = Math.ceilDiv(maxSequenceLength, KvCache.BLOCK_TOKENS);
        long affordable = room / blockBytes;
        if (affordable < blocksPerSequence) {
            throw new StartException(
                    ExitCode.OUT_OF_MEMORY,
                    "the KV cache of one sequence of %d tokens needs %d MiB, %d MiB are free for it; give --max-sequence-length %d or less, or more memory"
                            .formatted(
                                    maxSequenceLength,
                                    blocksPerSequence * blockBytes >> 20,
                                    room >> 20,
                                    affordable * KvCache.BLOCK_TOKENS));
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
