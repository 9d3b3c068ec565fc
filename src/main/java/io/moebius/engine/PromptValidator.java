package io.moebius.engine;

import java.util.Map;

/** Refuses what would not fit memory or make no sense, so that the step loop need not ask. */
final class PromptValidator {

    private final int vocabulary;
    private final int maxSequenceLength;
    private final int blocks;

    PromptValidator(int vocabulary, int maxSequenceLength, int blocks) {
        this.vocabulary = vocabulary;
        this.maxSequenceLength = maxSequenceLength;
        this.blocks = blocks;
    }

    /**
     * @param history the prompt's tokens as the engine will use them
     * @throws IllegalArgumentException naming the value and what is allowed
     */
    void check(Prompt prompt, History history) {
        require(history.length() >= 1, "the prompt has no tokens", "at least 1");
        atLeast("maxTokens", prompt.maxTokens(), 1);
        long length = (long) history.length() + prompt.maxTokens();
        require(
                length <= maxSequenceLength,
                history.length() + " prompt tokens and up to " + prompt.maxTokens() + " more are " + length,
                "at most " + maxSequenceLength);
        // The last token's keys and values are never stored.
        int needed = RunningSequence.blocksFor(length - 1);
        require(needed <= blocks, "the sequence needs " + needed + " cache blocks", "at most " + blocks);
        for (int i = 0; i < history.length(); i++) {
            inVocabulary("prompt token", history.tokens()[i]);
        }
        between("minTokens", prompt.minTokens(), 0, prompt.maxTokens());
        prompt.stopTokens().forEach(id -> inVocabulary("stop token", id));
        require(
                prompt.minTokens() == 0 || prompt.stopTokens().size() < vocabulary,
                "every token is a stop token and minTokens is " + prompt.minTokens(),
                "minTokens 0");
        between("topLogprobs", prompt.topLogprobs(), -1, Math.min(vocabulary, Prompt.MOST_TOP_LOGPROBS));
        check(prompt.sampling());
    }

    private void check(Sampling sampling) {
        between("temperature", sampling.temperature(), 0, Float.MAX_VALUE);
        atLeast("topK", sampling.topK(), 0);
        between("topP", sampling.topP(), Float.MIN_VALUE, 1);
        between("minP", sampling.minP(), 0, 1);
        between("repetitionPenalty", sampling.repetitionPenalty(), Float.MIN_VALUE, Float.MAX_VALUE);
        between("presencePenalty", sampling.presencePenalty(), -Float.MAX_VALUE, Float.MAX_VALUE);
        between("frequencyPenalty", sampling.frequencyPenalty(), -Float.MAX_VALUE, Float.MAX_VALUE);
        for (Map.Entry<Integer, Float> bias : sampling.logitBias().entrySet()) {
            inVocabulary("logit bias for token", bias.getKey());
            between("logit bias", bias.getValue(), -Float.MAX_VALUE, Float.MAX_VALUE);
        }
    }

    private void inVocabulary(String what, int id) {
        require(id >= 0 && id < vocabulary, what + " " + id + " is not in the vocabulary", "0 to " + (vocabulary - 1));
    }

    private static void atLeast(String name, int value, int least) {
        require(value >= least, name + " is " + value, "at least " + least);
    }

    private static void between(String name, int value, int least, int most) {
        require(value >= least && value <= most, name + " is " + value, least + " to " + most);
    }

    private static void between(String name, float value, float least, float most) {
        require(value >= least && value <= most, name + " is " + value, least + " to " + most);
    }

    private static void require(boolean holds, String problem, String allowed) {
        if (!holds) {
            throw new IllegalArgumentException(problem + "; allowed: " + allowed);
        }
    }
}
