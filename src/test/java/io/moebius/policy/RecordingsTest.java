package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordingsTest {

    private static final int MOST = 40;

    private static ToyMachine machine(double noise) {
        return new ToyMachine(noise).kernel("project", 100_000);
    }

    private static Choice choice(ToyMachine machine) {
        return Recordings.search(
                machine, machine, Recordings.counts(machine, machine, MOST), call -> call.run(machine.defaultVariant(call.site(), call.tokens())),
                machine::clock, () -> false).orElseThrow();
    }

    private static Policy policy(ToyMachine machine, String variant) {
        return new Policy(Origin.of(machine, "toy", "fp8"), List.of(new Choice(Recordings.SITE, 33, variant, 1, 2, "", 0, 0)));
    }

    @Test
    void measuresWhatTheDefaultFillsUpMost() {
        ToyMachine machine = machine(0).recording(64, 8);
        assertThat(Recordings.counts(machine, machine, 64)).containsExactly(5, 9, 17, 33);
        assertThat(Recordings.counts(machine, machine, 4)).isEmpty();
    }

    @Test
    void hasNothingToMeasureWhereStepsAreNotRecorded() {
        assertThat(Recordings.counts(machine(0), machine(0), MOST)).isEmpty();
    }

    @Test
    void choosesTheSizesOfTheFastestSteps() {
        Choice choice = choice(machine(0.05).recording(64, 32, 8));
        assertThat(choice.variant()).isEqualTo("multiples of 8");
        assertThat(choice.runnerUp()).isEqualTo("multiples of 64");
        assertThat(choice.tokens()).isEqualTo(33);
        assertThat(choice.gain()).isBetween(1.5, 1.7);
    }

    @Test
    void keepsTheDefaultWhereSomeStepsBecomeSlower() {
        // 17 sequences need 24 rows instead of 20.
        Choice choice = choice(machine(0).recording(20, 12));
        assertThat(choice.variant()).isEqualTo("multiples of 20");
        assertThat(choice.changed()).isFalse();
    }

    @Test
    void keepsTheDefaultWhereThereIsNoiseAlone() {
        assertThat(choice(machine(0.2).recording(64, 64)).changed()).isFalse();
    }

    @Test
    void choosesNothingWhenStopped() {
        ToyMachine machine = machine(0).recording(64, 8);
        assertThat(Recordings.search(machine, machine, List.of(5, 9), call -> {}, machine::clock, () -> machine.steps() > 0)).isEmpty();
    }

    @Test
    void areInForceWithThePolicy() {
        ToyMachine machine = machine(0).recording(64, 8);
        assertThat(new Chosen(machine, policy(machine, "multiples of 8")).recordedSizes()).contains(machine.recordedSizes().getLast());
        assertThatThrownBy(() -> new Chosen(machine, policy(machine, "multiples of 7")))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining("no variant \"multiples of 7\"");
    }

    @Test
    void areSearchedOnceTheKernelsAreKnown(@TempDir Path folder) {
        ToyMachine machine = machine(0).recording(64, 8);
        Tuner tuner = new Tuner(machine, machine, Origin.of(machine, "toy", "fp8"), new PolicyFolder(folder), machine::clock);
        Tuner.Outcome outcome = tuner.search(List.of(1, MOST), Duration.ofDays(1), (tokens, fraction, left) -> {});
        assertThat(outcome.complete()).isTrue();
        assertThat(outcome.policy().choice(Recordings.SITE, 33)).map(Choice::variant).isEqualTo(Optional.of("multiples of 8"));
        assertThat(Report.gains(outcome)).contains("sizes of recorded decodes, multiples of 8: a step of 33 sequences takes 8.00 ms (by default: 12.80 ms)");
        int steps = machine.steps();
        tuner.search(List.of(1, MOST), Duration.ofDays(1), (tokens, fraction, left) -> {});
        assertThat(machine.steps()).as("nothing is missing").isEqualTo(steps + 1);
    }

    @Test
    void areVerifiedWhereTheDefaultFillsUpMost() {
        ToyMachine machine = machine(0).recording(12, 27);
        Policy policy = policy(machine, "multiples of 27").with(List.of(new Choice(ToyMachine.site("project"), 17, "v0", 1, 1, "", 0, 0)));
        Verification verification = Verification.of(policy, machine, machine, machine::clock, 5);
        assertThat(verification.steps()).extracting(Proof::tokens).contains(5, 9, 17);
        assertThat(verification.failed()).anyMatch(line -> line.startsWith("a decode step of 17 tokens takes"));
    }
}
