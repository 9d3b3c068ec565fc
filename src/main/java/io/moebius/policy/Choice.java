package io.moebius.policy;

import io.moebius.backend.Site;

/**
 * What was measured for a site at a number of tokens, and what is to be used. Times are medians in microseconds of all calls of the
 * site in one step.
 *
 * @param variant  name of the chosen variant
 * @param runnerUp name of the best variant that was not chosen; empty where the site has one variant
 * @param boundMicros the least that the machine's measured bandwidth and peak allow; 0 where they are not known
 */
public record Choice(
        Site site,
        int tokens,
        String variant,
        double micros,
        double defaultMicros,
        String runnerUp,
        double runnerUpMicros,
        double boundMicros) {

    /** The share of what the machine allows; 0 where that is not known. */
    public double boundFraction() {
        return boundMicros / micros;
    }

    /** Whether another than the default was chosen: none is chosen for the same time. */
    public boolean changed() {
        return micros != defaultMicros;
    }

    /** The default after all, of that name; this becomes the best that was not chosen. */
    Choice refused(String defaultVariant) {
        return changed()
                ? new Choice(site, tokens, defaultVariant, defaultMicros, defaultMicros, variant, micros, boundMicros)
                : this;
    }

    /** How many times faster than the default. */
    public double gain() {
        return defaultMicros / micros;
    }
}
