package io.moebius.policy;

import java.util.function.LongSupplier;

/**
 * Whole steps with the defaults and with the choices, in turn. What is asserted is asserted of the pairs: a machine that becomes
 * slower for a while does so for both.
 *
 * @param phase         what was run
 * @param defaultMicros median time of a step with the defaults
 * @param micros        with the choices
 * @param ratio         of the second to the first, from all pairs
 * @param least         the true ratio is above this, and
 * @param most          below this, with 95 %
 */
public record Proof(Steps.Phase phase, int tokens, double defaultMicros, double micros, double ratio, double least, double most) {

    private static final int LEAST_PAIRS = 5;
    private static final int LEAST_PAIRS_OF_LONG_STEPS = 3;
    private static final int MOST_PAIRS = 40;
    private static final long ENOUGH_NANOS = 4_000_000_000L;
    private static final long LONG_STEP_NANOS = 500_000_000;
    /** No choice may cost more than this anywhere. */
    private static final double MOST_LOSS = 0.02;
    private static final double TOLERANCE = 0.01;

    /** Until it is sure whether the choices cost anything, or a search has no more time for it. */
    static Proof measure(Steps.Phase phase, int tokens, LongSupplier withDefaults, LongSupplier withChoices) {
        Pairs pairs = new Pairs(withDefaults, withChoices);
        double spent = 0;
        while (true) {
            double both = pairs.run();
            spent += both;
            if (pairs.count() < (both > 2 * LONG_STEP_NANOS ? LEAST_PAIRS_OF_LONG_STEPS : LEAST_PAIRS)) {
                continue;
            }
            Proof proof = pairs.proof(phase, tokens);
            if (proof.sure() || pairs.count() >= MOST_PAIRS || spent >= ENOUGH_NANOS) {
                return proof;
            }
        }
    }

    /** Exactly {@code count} pairs. */
    static Proof measure(Steps.Phase phase, int tokens, LongSupplier withDefaults, LongSupplier withChoices, int count) {
        Pairs pairs = new Pairs(withDefaults, withChoices);
        while (pairs.count() < count) {
            pairs.run();
        }
        return pairs.proof(phase, tokens);
    }

    private static final class Pairs {

        private final LongSupplier withDefaults;
        private final LongSupplier withChoices;
        private final Samples defaults = new Samples();
        private final Samples chosen = new Samples();
        private final Samples ratios = new Samples();

        Pairs(LongSupplier withDefaults, LongSupplier withChoices) {
            this.withDefaults = withDefaults;
            this.withChoices = withChoices;
        }

        int count() {
            return ratios.count();
        }

        /** Turn about, so that neither always follows the other; returns the time of both in nanoseconds. */
        double run() {
            boolean defaultsFirst = count() % 2 == 0;
            double first = (defaultsFirst ? withDefaults : withChoices).getAsLong();
            double second = (defaultsFirst ? withChoices : withDefaults).getAsLong();
            double ofDefaults = defaultsFirst ? first : second;
            double ofChoices = defaultsFirst ? second : first;
            defaults.add(ofDefaults);
            chosen.add(ofChoices);
            ratios.add(ofChoices / ofDefaults);
            return first + second;
        }

        Proof proof(Steps.Phase phase, int tokens) {
            Samples.Interval ratio = ratios.interval();
            return new Proof(
                    phase, tokens, defaults.median() / 1e3, chosen.median() / 1e3, ratio.middle(), ratio.least(), ratio.most());
        }
    }

    private boolean sure() {
        return most <= 1 + MOST_LOSS || least > 1 + TOLERANCE;
    }

    /** Surely, or probably where there was no time to be sure. */
    public boolean slower() {
        return most > 1 + MOST_LOSS && ratio > 1 + TOLERANCE;
    }

    /** By more than {@code share}; chance alone says so once in 40 times. */
    boolean surelySlower(double share) {
        return least > 1 + share;
    }

    /** Surely. */
    public boolean faster() {
        return most < 1 && ratio < 1 - TOLERANCE;
    }

    public double gain() {
        return 1 / ratio;
    }
}
