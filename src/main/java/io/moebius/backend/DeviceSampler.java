package io.moebius.backend;

/**
 * Draws tokens where their logits are, so that a step can be enqueued before the tokens of the one before it are known. Calls
 * run in the order in which they are made, with those of the backend; none waits but {@link Pending#await}. A third step is
 * enqueued only after the first one's tokens have been awaited.
 */
public interface DeviceSampler {

    /** Most likeliest tokens of a row that can be asked for. */
    int MOST_TOP_LOGPROBS = 20;

    /**
     * From now on {@code slot} holds these tokens, and each that is drawn with it: what penalties are computed from.
     *
     * @param slot   0 to the most rows of a draw - 1
     * @param tokens at least {@code length} ids: {@code prompt} of the prompt, then those of the output
     */
    void remember(int slot, int[] tokens, int prompt, int length);

    /** Draws a token for each row of logits [R, vocabulary]; until the next draw, {@link Batch#tokens} may stand for them. */
    Pending draw(Tensor logits, Draws draws);

    /** Tokens that are being drawn. */
    interface Pending {

        /**
         * Waits for them.
         *
         * @throws DeviceLostException if the device has failed for good
         * @throws RuntimeException    if the step could not be computed
         */
        DrawnTokens await();
    }
}
