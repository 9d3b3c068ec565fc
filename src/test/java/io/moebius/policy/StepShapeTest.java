package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StepShapeTest {

    private static final int MOST = 1024;

    private static Choice choice(ToyMachine machine) {
        return StepShape.search(machine, MOST, machine::clock, () -> false).orElseThrow();
    }

    private static Policy policy(ToyMachine machine, String variant) {
        return new Policy(
                Origin.of(machine, "toy", "fp8"), List.of(new Choice(StepShape.SITE, MOST, variant, 1, 2, "", 0, 0)));
    }

    @Test
    void startsFromAllThatAStepMayHave() {
        assertThat(StepShape.variants(MOST)).extracting(StepShape.Budget::promptTokens).containsExactly(1024, 64, 128, 256, 512);
        assertThat(StepShape.variants(100)).extracting(StepShape.Budget::promptTokens).containsExactly(100, 64);
        assertThat(StepShape.variants(64)).extracting(StepShape.Budget::promptTokens).containsExactly(64);
    }

    @Test
    void readsPromptsInTheSmallestPiecesThatAreAsFast() {
        Choice choice = choice(new ToyMachine(0.002).mixing(20_000, 10_000));
        assertThat(choice.variant()).isEqualTo("128 prompt tokens");
        assertThat(choice.runnerUp()).isEqualTo("64 prompt tokens");
        assertThat(choice.micros()).isBetween(1_290.0, 1_310.0);
        assertThat(choice.defaultMicros()).isBetween(10_200.0, 10_260.0);
    }

    @Test
    void keepsTheDefaultWhereEveryStepCostsMuch() {
        assertThat(choice(new ToyMachine(0).mixing(10_000_000, 10_000)).variant()).isEqualTo("1024 prompt tokens");
    }

    @Test
    void keepsTheDefaultWhereNoiseHidesWhatItIsWorth() {
        assertThat(choice(new ToyMachine(0.5).mixing(20_000, 10_000)).variant()).isEqualTo("1024 prompt tokens");
    }

    @Test
    void choosesNothingWhenStopped() {
        ToyMachine machine = new ToyMachine(0).mixing(1, 1);
        assertThat(StepShape.search(machine, MOST, machine::clock, () -> machine.steps() == 3)).isEmpty();
    }

    @Test
    void choosesNothingWhereNoDecodeFitsBeside() {
        assertThat(StepShape.possible(new ToyMachine(0), MOST)).isFalse();
        assertThat(StepShape.possible(new ToyMachine(0).mixing(1, 1), 64)).isFalse();
        assertThat(StepShape.possible(new ToyMachine(0).mixing(1, 1), MOST)).isTrue();
    }

    @Test
    void holdsForTheStepsThatItWasSearchedForAlone() {
        Policy policy = policy(new ToyMachine(0), "128 prompt tokens");
        assertThat(StepShape.promptTokens(policy, MOST)).isEqualTo(128);
        assertThat(StepShape.promptTokens(policy, 512)).isEqualTo(512);
    }

    @Test
    void refusesMoreTokensThanAStepMayHave() {
        ToyMachine machine = new ToyMachine(0);
        for (String variant : List.of("2048 prompt tokens", "0 prompt tokens", "100 prompt tokens", "many")) {
            assertThatThrownBy(() -> new Chosen(machine, policy(machine, variant)))
                    .isInstanceOf(PolicyException.class)
                    .hasMessageContaining("no variant \"" + variant + "\"");
        }
    }

    @Test
    void isSearchedOnceTheKernelsAreKnown(@TempDir Path folder) {
        ToyMachine machine = new ToyMachine(0).kernel("project", 100_000, 50_000).mixing(20_000, 10_000);
        Tuner tuner = new Tuner(machine, machine, Origin.of(machine, "toy", "fp8"), new PolicyFolder(folder), machine::clock);
        Tuner.Outcome outcome = tuner.search(List.of(1, MOST), Duration.ofDays(1), (tokens, fraction, left) -> {});
        assertThat(outcome.complete()).isTrue();
        assertThat(outcome.policy().choice(StepShape.SITE, MOST)).map(Choice::variant).isEqualTo(Optional.of("128 prompt tokens"));
        int steps = machine.steps();
        tuner.search(List.of(1, MOST), Duration.ofDays(1), (tokens, fraction, left) -> {});
        assertThat(machine.steps()).as("nothing is missing").isEqualTo(steps + 1);
    }
}
