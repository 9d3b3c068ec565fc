package io.moebius.backend;

/**
 * What {@link Draws} gave.
 *
 * @param ids         [R] the drawn tokens
 * @param status      [R] {@link #FINITE}, {@link #NOT_FINITE} or {@link #NONE_LEFT}
 * @param logprobs    [R] of the drawn tokens, under the logits as they were
 * @param topLogprobs likeliest tokens of each row
 * @param topIds      [R * topLogprobs] best first; -1 where a row has fewer
 * @param topValues   [R * topLogprobs] their logprobs
 */
public record DrawnTokens(
        int[] ids, int[] status, float[] logprobs, int topLogprobs, int[] topIds, float[] topValues) {

    /** All logits of the row were finite. */
    public static final int FINITE = 0;

    /** Some were not. */
    public static final int NOT_FINITE = 1;

    /** No token could be drawn: no logit was finite, or no token that has one was allowed. */
    public static final int NONE_LEFT = 2;
}
