package io.moebius.observe;

import io.micrometer.core.instrument.MeterRegistry;

/** Metrics without an application around them. */
public final class TestMetrics {

    private TestMetrics() {}

    public static Metrics on(MeterRegistry registry) {
        return new Metrics(registry, "test");
    }
}
