package io.moebius.checkpoint;

/**
 * How far pairs of channels turn from one position to the next, and how that is stretched for texts longer than those of the training.
 *
 * @param theta base of the frequencies
 */
public record RotaryPositions(double theta, Scaling scaling) {

    private static final int MOST = 1 << 24;

    public sealed interface Scaling {}

    /** rope_type "default". */
    public record Unscaled() implements Scaling {}

    /** "linear": every frequency is divided by {@code factor} (Chen et al. 2023). */
    public record Linear(double factor) implements Scaling {}

    /**
     * "llama3" (Grattafiori et al. 2024): frequencies that turn less than {@code lowTurns} times in the original positions are divided by
     * {@code factor}, those that turn more than {@code highTurns} times stay, and between them it is a part.
     */
    public record Llama3(double factor, double lowTurns, double highTurns, int originalPositions) implements Scaling {}

    /**
     * "yarn" (Peng et al. 2023): the same by the pair's number, from the pair that turns {@code fastTurns} times in the original positions
     * to the one that turns {@code slowTurns} times.
     *
     * @param wholePairs whether both numbers are rounded, outwards
     * @param growth     of queries and keys, "attention_factor"
     */
    public record Yarn(double factor, double fastTurns, double slowTurns, int originalPositions, boolean wholePairs, double growth)
            implements Scaling {}

    /**
     * Most positions of a sequence. Configurations with "yarn" say either how many it was trained with or how many it makes of them.
     *
     * @param configured max_position_embeddings
     */
    int most(int configured) {
        return scaling instanceof Yarn yarn
                ? (int) Math.max(configured, Math.min(MOST, yarn.factor * yarn.originalPositions))
                : configured;
    }
}
