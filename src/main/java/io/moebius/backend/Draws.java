package io.moebius.backend;

/**
 * How a token is drawn from each of R rows of logits, in this order: logprobs of the logits as they are; bias; repetition,
 * presence and frequency penalties; allowed tokens; temperature, top-k, top-p, min-p; the draw. A logit that is not finite
 * counts as -infinity. engine.TokenDraw has the arithmetic of the draw, which every backend follows to the bit.
 *
 * @param temperature [R] 0: the largest logit, the lowest id of equals
 * @param topK        [R] 0 is off
 * @param topP        [R] 1 is off
 * @param minP        [R] 0 is off
 * @param repetition  [R] divides positive, multiplies other logits of tokens in prompt or output; 1 is off
 * @param presence    [R] taken from logits of tokens in the output
 * @param frequency   [R] taken for each time that the token is in the output
 * @param slots       [R] whose tokens the penalties are of, see {@link DeviceSampler#remember}; -1: none
 * @param seeds       [R] of the row's random stream
 * @param indices     [R] the stream's number to draw with: tokens drawn before in this sequence
 * @param biasOffsets [R + 1] first entry of each row in biasIds and biasValues; null: no row has any
 * @param biasIds     different ids within a row
 * @param biasValues  addends
 * @param allowed     [R * ceil(vocabulary / 32)] bits of the ids that may be drawn, bit id % 32 of a row's word id / 32; null: all
 * @param topLogprobs likeliest tokens wanted of each row
 */
public record Draws(
        float[] temperature,
        int[] topK,
        float[] topP,
        float[] minP,
        float[] repetition,
        float[] presence,
        float[] frequency,
        int[] slots,
        long[] seeds,
        int[] indices,
        int[] biasOffsets,
        int[] biasIds,
        float[] biasValues,
        int[] allowed,
        int topLogprobs) {

    public int rows() {
        return temperature.length;
    }
}
