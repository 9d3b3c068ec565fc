package io.moebius.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DurationsTest {

    @Test
    void givesPercentilesByNearestRankInMilliseconds() {
        Durations durations = new Durations();
        for (int i = 2000; i >= 1; i--) {
            durations.add(i * 1_000_000L);
        }
        assertThat(durations.percentiles()).isEqualTo(new ServingReport.Percentiles(1000, 1800, 1980));
    }

    @Test
    void givesTheOnlyOneForAll() {
        Durations durations = new Durations();
        durations.add(500_000);
        assertThat(durations.percentiles()).isEqualTo(new ServingReport.Percentiles(0.5, 0.5, 0.5));
    }

    @Test
    void givesNothingWhereNothingWasMeasured() {
        assertThat(new Durations().percentiles()).isNull();
    }
}
