package io.moebius.engine;

/**
 * The tokens a sequence consists of so far.
 *
 * @param tokens at least {@code length} ids: the prompt's, then the output's
 * @param prompt tokens of the prompt
 * @param length tokens of prompt and output
 */
record History(int[] tokens, int prompt, int length) {

    int output() {
        return length - prompt;
    }
}
