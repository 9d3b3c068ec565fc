package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** On a machine whose language writes 1.234,5. */
class SummaryTest {

    private static final Summary SUMMARY = new Summary(
            "a/b", "fp8", 3L << 30, "cpu", "16bit", new MemoryPlan(1000, 1 << 20), "f32", 32_768, "5 sites, 0 missing, file f", 8000, 8281,
            Duration.ofMillis(1234));

    private final Locale usual = Locale.getDefault();

    @BeforeEach
    void writeGerman() {
        Locale.setDefault(Locale.GERMANY);
    }

    @AfterEach
    void writeAsUsual() {
        Locale.setDefault(usual);
    }

    @Test
    void writesNumbersAsEverywhere() {
        assertThat(SUMMARY.line()).endsWith("ready in 1.2 s");
        assertThat(SUMMARY.text()).contains("3.0 GiB of weights", "16,000 tokens in 1000.0 MiB", "up to 32,768 tokens", "ready in     1.2 s");
    }

    @Test
    void namesThePolicyForPeopleAndInALog() {
        assertThat(SUMMARY.text()).contains("\n  policy       5 sites, 0 missing, file f\n");
        assertThat(SUMMARY.line()).isEqualTo("serves a/b on cpu; policy: 5 sites, 0 missing, file f; ports: API 8000, metrics 8281; ready in 1.2 s");
    }

    @Test
    void givesTheRateOfLoadingAsEverywhere() {
        assertThat(LoadRate.of(1 << 20).at(1)).matches("1\\.0 MiB in \\d+\\.\\d s, \\d+\\.\\d\\d GB/s");
    }
}
