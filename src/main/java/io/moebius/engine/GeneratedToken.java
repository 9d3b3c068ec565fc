package io.moebius.engine;

import java.util.List;

/**
 * A token of the output.
 *
 * @param logprob natural logarithm of its probability under the unmodified logits; NaN when none was asked for
 * @param top     the likeliest tokens, best first; empty when none were asked for
 */
public record GeneratedToken(int id, float logprob, List<TokenLogprob> top) {

    public record TokenLogprob(int id, float logprob) {}
}
