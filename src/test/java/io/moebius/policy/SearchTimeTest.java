package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.LongStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * How long a search takes by the clock of a simulated machine, whose steps take as long as those of a generated model of 1 GB on two
 * cores with AVX2: 41 ms and 3.6 ms for each token.
 */
class SearchTimeTest {

    private static final int MOST_TOKENS = 512;
    private static final int MOST_SEQUENCES = 384;
    private static final long STEP_NANOS = 41_000_000;
    private static final long TOKEN_NANOS = 3_600_000;
    private static final int LAYERS = 2;

    @TempDir
    private Path folder;

    /** Of the time of a step a site takes {@code share}; its second variant is faster by {@code gain}, all others are slower. */
    private static long[] variants(double share, double gain) {
        double standing = share * TOKEN_NANOS / LAYERS;
        return LongStream.range(0, 28).map(i -> (long) (standing * (i == 1 ? 1 - gain : 1 + 0.02 * i))).toArray();
    }

    private static ToyMachine machine(double gain, double noise) {
        return new ToyMachine(noise)
                .kernel("experts", variants(0.7, gain))
                .kernel("project", variants(0.2, gain))
                .kernel("attend", variants(0.06, gain))
                .kernel("lm_head", variants(0.04, gain))
                .reading((int) (STEP_NANOS / TOKEN_NANOS))
                .mixing(STEP_NANOS, TOKEN_NANOS)
                .upTo(MOST_TOKENS, MOST_SEQUENCES)
                .limiting(tokens -> tokens <= 16 ? 28 : tokens <= 128 ? 20 : 12);
    }

    @ParameterizedTest
    @CsvSource({"0.1, 0.1", "0.1, 0.2", "0.1, 0.3", "0.05, 0.2", "0, 0.2", "0, 0.3"})
    void isLessThanFiveMinutes(double gain, double noise) {
        ToyMachine machine = machine(gain, noise);
        Tuner tuner = new Tuner(machine, machine, Origin.of(machine, "toy", "fp8"), new PolicyFolder(folder), machine::clock);
        Tuner.Outcome outcome = tuner.search(Search.tokenCounts(MOST_TOKENS), Duration.ofDays(1), (tokens, fraction, left) -> {});
        assertThat(outcome.complete()).isTrue();
        assertThat(outcome.policy().choices().stream().anyMatch(Choice::changed)).isEqualTo(gain > 0);
        assertThat(Duration.ofNanos(machine.clock())).isLessThan(Duration.ofMinutes(5));
    }
}
