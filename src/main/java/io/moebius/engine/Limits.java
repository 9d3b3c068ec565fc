package io.moebius.engine;

/**
 * What the engine takes on.
 *
 * @param maxBatchSequences sequences in one step, at least 1
 * @param maxBatchTokens    tokens in one step, at least maxBatchSequences so that every running sequence can decode
 * @param maxSequenceLength most tokens of prompt and output together, at least 2
 * @param maxQueue          sequences that may wait beyond maxBatchSequences, 0 or more
 */
public record Limits(int maxBatchSequences, int maxBatchTokens, int maxSequenceLength, int maxQueue) {

    public Limits {
        require(maxBatchSequences >= 1, "sequences in a step", maxBatchSequences, 1);
        require(maxBatchTokens >= maxBatchSequences, "tokens in a step", maxBatchTokens, maxBatchSequences);
        require(maxSequenceLength >= 2, "the longest sequence", maxSequenceLength, 2);
        require(maxQueue >= 0, "waiting sequences", maxQueue, 0);
    }

    private static void require(boolean holds, String what, int value, int least) {
        if (!holds) {
            throw new IllegalArgumentException(
                    "the limit for " + what + " is " + value + "; it must be at least " + least);
        }
    }
}
