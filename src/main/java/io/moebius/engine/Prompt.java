package io.moebius.engine;

import io.moebius.backend.DeviceSampler;
import java.util.Set;

/**
 * One sequence to generate.
 *
 * @param tokens     prompt ids, at least one
 * @param maxTokens  most tokens to generate, at least 1
 * @param minTokens  stop tokens are not chosen before this many
 * @param stopTokens ids that end the sequence; the ending id itself is reported as a token
 * @param sampling   how tokens are chosen
 * @param topLogprobs -1: none; 0: of the chosen token only; k: of the k likeliest too
 */
public record Prompt(
        int[] tokens, int maxTokens, int minTokens, Set<Integer> stopTokens, Sampling sampling, int topLogprobs) {

    public static final int MOST_TOP_LOGPROBS = DeviceSampler.MOST_TOP_LOGPROBS;

    public Prompt {
        tokens = tokens.clone();
        stopTokens = Set.copyOf(stopTokens);
    }
}
