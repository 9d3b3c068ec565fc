package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class VerificationTest {

    private static final int PAIRS = 7;

    private static Verification verified(ToyMachine machine, Choice... choices) {
        Policy policy = new Policy(Origin.of(machine, "toy", "fp8"), List.of(choices));
        return Verification.of(policy, machine, machine, machine::clock, PAIRS);
    }

    private static Choice choice(int tokens, String variant) {
        return new Choice(ToyMachine.site("project"), tokens, variant, 1, 2, "", 0, 0);
    }

    @Test
    void findsNothingWrongWithFasterChoices() {
        Verification verification = verified(new ToyMachine(0.01).kernel("project", 100_000, 50_000), choice(1, "v0"), choice(4, "v1"));
        assertThat(verification.failed()).isEmpty();
        assertThat(verification.checked()).isEqualTo(2);
        assertThat(verification.steps()).allSatisfy(step -> assertThat(step.gain()).isBetween(1.9, 2.1));
    }

    @Test
    void measuresWholeStepsWhereverTheyDiffer() {
        Verification verification = verified(new ToyMachine(0).kernel("project", 100_000, 50_000), choice(1, "v0"), choice(4, "v1"), choice(16, "v0"));
        // 4 holds from 3 to 5.
        assertThat(verification.steps()).extracting(Proof::tokens).containsExactly(3, 3, 4, 4, 5, 5);
    }

    @Test
    void namesAChoiceThatHasBecomeSlower() {
        Verification verification = verified(new ToyMachine(0).kernel("project", 100_000, 120_000), choice(2, "v1"));
        assertThat(verification.failed())
                .hasSize(3)
                .anySatisfy(line -> assertThat(line).contains("project 64 x 64 at 2 tokens: \"v1\" takes 480.0 us, the default 400.0 us"))
                .anySatisfy(line -> assertThat(line).contains("a decode step of 2 tokens takes 0.48 ms, with the defaults 0.40 ms"));
    }

    @Test
    void letsNoiseBe() {
        long[] same = new long[4];
        Arrays.fill(same, 100_000);
        ToyMachine machine = new ToyMachine(0.2).kernel("project", same);
        assertThat(verified(machine, choice(1, "v1"), choice(8, "v2"), choice(64, "v3")).failed()).isEmpty();
    }

    @Test
    void namesAShapeOfStepsThatReadsPromptsSlower() {
        ToyMachine machine = new ToyMachine(0).kernel("project", 100_000).mixing(1_000_000, 10_000);
        Choice shape = new Choice(StepShape.SITE, 1024, "128 prompt tokens", 1, 2, "", 0, 0);
        assertThat(verified(machine, shape).failed()).hasSize(1).first().asString().contains("reads prompts at");
    }

    @Test
    void refusesAChoiceThatIsNone() {
        assertThatThrownBy(() -> verified(new ToyMachine(0).kernel("project", 1), choice(1, "tile 0")))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining("tile 0");
    }
}
