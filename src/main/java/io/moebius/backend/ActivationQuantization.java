package io.moebius.backend;

/** How a checkpoint wants the input of a linear layer quantised to e4m3: code = e4m3(clamp(x / scale, -448, 448)). */
public sealed interface ActivationQuantization {

    /** Inputs stay as they are. */
    record None() implements ActivationQuantization {}

    /** One calibrated scale for all inputs. */
    record Static(float scale) implements ActivationQuantization {}

    /** One scale per token, min(amax, bound) / 448 over the token's channels. */
    record PerToken(float bound) implements ActivationQuantization {

        public PerToken() {
            this(Float.POSITIVE_INFINITY);
        }
    }

    /** One scale per token and group of {@code channels} consecutive channels, amax / 448 over the group. */
    record PerGroup(int channels) implements ActivationQuantization {}
}
