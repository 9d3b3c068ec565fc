package io.moebius.engine;

/**
 * What the engine takes on.
 *
 * @param maxBatchSequences sequences in one step, at least 1
 * @param maxBatchTokens    tokens in one step, at least maxBatchSequences so that every running sequence can decode
 * @param maxPromptTokens   tokens of prompts that a step reads beside its decodes, at least 1: the more, the longer a decode waits for the step
 * @param maxSequenceLength most tokens of prompt and output together, at least 2
 * @param maxQueue          sequences that may wait beyond maxBatchSequences, 0 or more
 */
public record Limits(int maxBatchSequences, int maxBatchTokens, int maxPromptTokens, int maxSequenceLength, int maxQueue) {

    public Limits {
        require(maxBatchSequences >= 1, "sequences in a step", maxBatchSequences, 1);
        require(maxBatchTokens >= maxBatchSequences, "tokens in a step", maxBatchTokens, maxBatchSequences);
        require(maxPromptTokens >= 1, "prompt tokens in a step", maxPromptTokens, 1);
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
