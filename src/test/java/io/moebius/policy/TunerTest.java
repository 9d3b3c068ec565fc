package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TunerTest {

    private static final List<Integer> COUNTS = List.of(1, 2, 4, 8);
    private static final Duration LONG = Duration.ofDays(1);
    /** Longer than the search of one token count, shorter than that of all. */
    private static final int MOST_MILLIS = 150;

    @TempDir
    private Path folder;

    private final ToyMachine machine = new ToyMachine(0).kernel("project", 100_000, 50_000, 70_000).kernel("attend", 40_000, 60_000);
    private final Origin origin = Origin.of(machine, "toy", "fp8");

    private PolicyFolder policies() {
        return new PolicyFolder(folder);
    }

    private Tuner tuner() {
        return new Tuner(machine, machine, origin, policies(), machine::clock);
    }

    @Test
    void keepsAChoiceForEverySiteAndTokenCount() {
        Tuner.Outcome outcome = tuner().search(COUNTS, LONG, (tokens, fraction, left) -> {});
        assertThat(outcome.complete()).isTrue();
        assertThat(outcome.policy().choices()).hasSize(8);
        assertThat(policies().find(origin)).contains(outcome.policy());
    }

    @Test
    void decodesLookBackOnAPromptNotOnZeros() {
        tuner().search(COUNTS, LONG, (tokens, fraction, left) -> {});
        assertThat(machine.phases()).startsWith(Steps.Phase.DECODE, Steps.Phase.PREFILL);
    }

    @Test
    void searchesOnlyWhatIsMissing() {
        tuner().search(List.of(1, 4), LONG, (tokens, fraction, left) -> {});
        List<Integer> searched = new ArrayList<>();
        Tuner.Outcome outcome = tuner().search(COUNTS, LONG, (tokens, fraction, left) -> searched.add(tokens));
        assertThat(searched).containsExactly(2, 8);
        assertThat(outcome.found().keySet()).containsExactly(2, 8);
        assertThat(outcome.policy().choices()).hasSize(8);
    }

    @Test
    void goesOnWhereItWasInterruptedAtAnyPoint() {
        SplittableRandom random = new SplittableRandom(1);
        for (int attempt = 0; attempt < 60; attempt++) {
            Tuner.Outcome outcome = tuner().search(COUNTS, Duration.ofMillis(random.nextInt(1, MOST_MILLIS)), (tokens, fraction, left) -> {});
            assertThat(policies().find(origin)).contains(outcome.policy());
            if (outcome.complete()) {
                assertThat(outcome.policy().choices()).hasSize(8);
                assertThat(attempt).as("interruptions").isPositive();
                return;
            }
        }
        throw new AssertionError("60 attempts did not come to an end");
    }

    @Test
    void keepsNoChoiceThatTheEndOfTheSearchDoesNotConfirm() {
        ToyMachine busy = new ToyMachine(0).kernel("project", 100_000, 50_000).changing(60, Map.of("v1", 150_000L));
        Tuner.Outcome outcome = new Tuner(busy, busy, origin, policies(), busy::clock)
                .search(COUNTS, LONG, (tokens, fraction, left) -> {});
        assertThat(outcome.found().get(1).proofs()).extracting(Proof::faster).startsWith(true).endsWith(false);
        assertThat(policies().find(origin).orElseThrow().choices()).hasSize(4).noneMatch(Choice::changed);
    }

    @Test
    void endsWithItsBudget() {
        Tuner.Outcome outcome = tuner().search(COUNTS, Duration.ofNanos(1), (tokens, fraction, left) -> {});
        assertThat(outcome.complete()).isFalse();
        assertThat(policies().find(origin)).isPresent();
    }

    @Test
    void saysHowFarItIs() {
        List<Double> fractions = new ArrayList<>();
        List<Duration> times = new ArrayList<>();
        tuner().search(COUNTS, LONG, (tokens, fraction, left) -> {
            fractions.add(fraction);
            times.add(left);
        });
        assertThat(fractions).isSorted().startsWith(0.0).allMatch(fraction -> fraction < 1);
        assertThat(times.subList(1, 4)).allMatch(Duration::isPositive);
    }

    @Test
    void refusesAFolderThatCannotBeWrittenBeforeItMeasures() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        Tuner tuner = new Tuner(machine, machine, origin, new PolicyFolder(file), machine::clock);
        assertThatThrownBy(() -> tuner.search(COUNTS, LONG, (tokens, fraction, left) -> {}))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining("cannot be written");
        assertThat(machine.steps()).isZero();
    }
}
