package io.moebius.policy;

import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Whole steps with the defaults and with the choices, in turn.
 *
 * @param phase         what was run
 * @param defaultMicros median time of a step with the defaults
 * @param micros        with the choices
 * @param noise         share by which the difference of the two may be off
 */
public record Proof(Steps.Phase phase, int tokens, double defaultMicros, double micros, double noise) {

    private static final int LEAST_PAIRS = 5;
    private static final int LEAST_PAIRS_OF_LONG_STEPS = 3;
    private static final int MOST_PAIRS = 25;
    private static final long ENOUGH_NANOS = 1_500_000_000;
    private static final long LONG_STEP_NANOS = 500_000_000;
    private static final double TOLERANCE = 0.01;

    static Proof measure(
            Tunable backend, Steps steps, Steps.Phase phase, int tokens, Map<Site, Variant> variants, LongSupplier nanoTime) {
        Samples defaults = new Samples();
        Samples chosen = new Samples();
        long spent = 0;
        int least = LEAST_PAIRS;
        for (int pair = 0; pair < least || (pair < MOST_PAIRS && spent < ENOUGH_NANOS); pair++) {
            // Turn about, so that neither always follows the other.
            boolean defaultFirst = pair % 2 == 0;
            for (int half = 0; half < 2; half++) {
                boolean isDefault = (half == 0) == defaultFirst;
                long total = Trial.run(backend, steps, phase, tokens, isDefault ? Map.of() : variants, nanoTime).total();
                (isDefault ? defaults : chosen).add(total);
                spent += total;
                least = total > LONG_STEP_NANOS ? LEAST_PAIRS_OF_LONG_STEPS : LEAST_PAIRS;
            }
        }
        return new Proof(
                phase, tokens, defaults.median() / 1e3, chosen.median() / 1e3, defaults.noise() + chosen.noise());
    }

    /** By more than the noise. */
    public boolean slower() {
        return micros > (1 + Math.max(TOLERANCE, noise)) * defaultMicros;
    }

    /** By more than the noise. */
    public boolean faster() {
        return micros < (1 - Math.max(TOLERANCE, noise)) * defaultMicros;
    }

    public double gain() {
        return defaultMicros / micros;
    }
}
