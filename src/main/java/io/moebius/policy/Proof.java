package io.moebius.policy;

import java.util.function.LongSupplier;

/**
 * Whole steps with the defaults and with the choices, in turn. What is asserted is asserted of the pairs: a machine that becomes
 * slower for a while does so for both.
 *
 * @param phase         what was run
 * @param defaultMicros median time of a step with the defaults
 * @param micros        with the choices
 * @param ratio         median over all pairs of the second by the first
 * @param noise         share by which that may be off
 * @param least         the true ratio is above this, and
 * @param most          below this, with 95 % (the sign test's interval)
 */
public record Proof(Steps.Phase phase, int tokens, double defaultMicros, double micros, double ratio, double noise, double least, double most) {

    private static final int LEAST_PAIRS = 5;
    private static final int LEAST_PAIRS_OF_LONG_STEPS = 3;
    private static final int MOST_PAIRS = 25;
    private static final long ENOUGH_NANOS = 1_500_000_000;
    private static final long LONG_STEP_NANOS = 500_000_000;
    private static final double TOLERANCE = 0.01;

    /** As many pairs as a search has time for. */
    static Proof measure(Steps.Phase phase, int tokens, LongSupplier withDefaults, LongSupplier withChoices) {
        Pairs pairs = new Pairs(withDefaults, withChoices);
        double spent = 0;
        int least = LEAST_PAIRS;
        while (pairs.count() < least || (pairs.count() < MOST_PAIRS && spent < ENOUGH_NANOS)) {
            double both = pairs.run();
            spent += both;
            least = both > 2 * LONG_STEP_NANOS ? LEAST_PAIRS_OF_LONG_STEPS : LEAST_PAIRS;
        }
        return pairs.proof(phase, tokens);
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
            int beyond = (int) Math.max(0, count() / 2.0 - Math.sqrt(count()));
            return new Proof(
                    phase, tokens, defaults.median() / 1e3, chosen.median() / 1e3, ratios.median(), ratios.noise(),
                    ratios.ranked(beyond), ratios.ranked(count() - 1 - beyond));
        }
    }

    /** By more than the noise. */
    public boolean slower() {
        return ratio > 1 + Math.max(TOLERANCE, noise);
    }

    /** By more than {@code share}; chance alone says so once in 40 times. */
    boolean surelySlower(double share) {
        return least > 1 + share;
    }

    /** By more than the noise. */
    public boolean faster() {
        return ratio < 1 - Math.max(TOLERANCE, noise);
    }

    public double gain() {
        return 1 / ratio;
    }
}
