package io.moebius.engine;

import java.util.Map;

/**
 * How the next token is chosen from the logits. Order: logit bias, penalties, temperature, top-k, top-p, min-p.
 *
 * @param temperature       0 is greedy
 * @param topK              0 is off
 * @param topP              in (0, 1], 1 is off
 * @param minP              in [0, 1], 0 is off: tokens less likely than minP times the likeliest are dropped
 * @param repetitionPenalty over prompt and output tokens, 1 is off (Keskar et al. 2019)
 * @param presencePenalty   subtracted once for every token of the output, 0 is off
 * @param frequencyPenalty  subtracted for each time the token is in the output, 0 is off
 * @param logitBias         token to addend
 * @param seed              the same seed gives the same tokens whoever else is served
 */
public record Sampling(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        Map<Integer, Float> logitBias,
        long seed) {

    public Sampling {
        logitBias = Map.copyOf(logitBias);
    }

    /** Whether the choice depends on the tokens before. */
    boolean hasPenalties() {
        return repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0;
    }

    public static Sampling greedy() {
        return new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(), 0);
    }
}
