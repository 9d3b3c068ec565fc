package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.policy.ToyMachine.Way;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SearchTest {

    private static Search.Found found(ToyMachine machine, int tokens) {
        return new Search(machine, machine, machine::clock, () -> false).at(tokens, Map.of()).orElseThrow();
    }

    private static Map<String, String> chosen(Search.Found found) {
        return found.choices().stream().collect(Collectors.toMap(c -> c.site().kernel(), Choice::variant));
    }

    @Test
    void findsTheFastestVariantOfEverySite() {
        ToyMachine machine = new ToyMachine(0.01)
                .kernel("project", 100_000, 90_000, 50_000, 120_000, 70_000)
                .kernel("experts", 300_000, 310_000, 500_000)
                .kernel("attend", 90_000, 95_000, 80_000, 70_000, 60_000, 50_000, 40_000, 30_000);
        assertThat(chosen(found(machine, 4))).isEqualTo(Map.of("project", "v2", "experts", "v0", "attend", "v7"));
    }

    @Test
    void keepsTimesOfTheDefaultAndTheRunnerUp() {
        Choice choice = found(new ToyMachine(0).kernel("project", 100_000, 90_000, 50_000), 1).choices().getFirst();
        assertThat(choice.micros()).isEqualTo(100);
        assertThat(choice.defaultMicros()).isEqualTo(200);
        assertThat(choice.runnerUp()).isEqualTo("v1");
        assertThat(choice.runnerUpMicros()).isEqualTo(180);
        assertThat(choice.gain()).isEqualTo(2);
        assertThat(choice.boundMicros()).isEqualTo(20);
    }

    @Test
    void aPlantedSlowDefaultIsReplaced() {
        assertThat(chosen(found(new ToyMachine(0.2).kernel("project", 1_000_000, 100_000, 110_000), 8)))
                .containsEntry("project", "v1");
    }

    @Test
    void aVariantWithOtherResultsIsNeverChosen() {
        ToyMachine machine = new ToyMachine(0.01)
                .kernel("project", 100_000, 90_000)
                .variant("project", new Way("wrong", 1_000, 0, true))
                .kernel("attend", 50_000, 20_000)
                .variant("attend", new Way("wrong too", 500, 0, true));
        Search.Found found = found(machine, 2);
        assertThat(chosen(found)).isEqualTo(Map.of("project", "v1", "attend", "v1"));
        assertThat(found.refused()).isEqualTo(2);
    }

    @Test
    void aVariantWithOtherResultsInPrefillsIsNotChosenForDecodes() {
        ToyMachine machine = new ToyMachine(0)
                .kernel("project", 100_000)
                .variant("project", new Way("wrong", 50_000, 0, true))
                .wrongOnlyIn(Steps.Phase.PREFILL);
        Search.Found found = found(machine, 4);
        assertThat(chosen(found)).containsEntry("project", "v0");
        assertThat(found.refused()).isOne();
    }

    @Test
    void noiseAloneChangesNothing() {
        long[] same = IntStream.range(0, 12).mapToLong(i -> 100_000).toArray();
        ToyMachine machine = new ToyMachine(0.3).kernel("project", same).kernel("attend", same);
        for (int i = 0; i < 30; i++) {
            assertThat(chosen(found(machine, 8 << i % 8))).isEqualTo(Map.of("project", "v0", "attend", "v0"));
        }
    }

    @Test
    void aSmallGainShowsInNoise() {
        ToyMachine machine = new ToyMachine(0.2).kernel("project", 100_000, 92_000);
        assertThat(IntStream.range(0, 40).filter(i -> chosen(found(machine, 8 << i % 8)).containsValue("v1")).count())
                .isGreaterThan(34);
    }

    @Test
    void longStepsThatGainNothingEndAfterThreePairs() {
        ToyMachine machine = new ToyMachine(0).kernel("project", 400_000_000, 500_000_000);
        assertThat(chosen(found(machine, 4))).containsEntry("project", "v0");
        assertThat(machine.steps()).isEqualTo(1 + 2 * 3);
    }

    @Test
    void longStepsThatGainHaveAsManyPairsAsItTakesToBeSure() {
        ToyMachine machine = new ToyMachine(0.02).kernel("project", 400_000_000, 340_000_000);
        assertThat(IntStream.range(0, 40).filter(i -> chosen(found(machine, 4)).containsValue("v1")).count()).isEqualTo(40);
    }

    @Test
    void defaultsStayWhereWholeStepsBecomeSlower() {
        ToyMachine machine = new ToyMachine(0)
                .kernel("project", 100_000)
                .variant("project", new Way("leaves work to others", 50_000, 400_000, false));
        Search.Found found = found(machine, 1);
        assertThat(chosen(found)).containsEntry("project", "v0");
        assertThat(found.proofs()).anyMatch(Proof::slower);
    }

    @Test
    void provesChoicesWhereverTheyWillHold() {
        ToyMachine machine = new ToyMachine(0).kernel("project", 100_000, 50_000);
        assertThat(found(machine, 4).proofs()).extracting(Proof::tokens).containsExactly(4, 4, 3, 5);
        assertThat(found(machine, 1).proofs()).extracting(Proof::tokens).containsExactly(1, 1);
    }

    @Test
    void comesWithinThreePercentOfTryingEverythingAtLength() {
        SplittableRandom random = new SplittableRandom(3);
        double best = 0;
        double reached = 0;
        for (int machine = 0; machine < 40; machine++) {
            long[] nanos = random.longs(16, 80_000, 200_000).toArray();
            Choice choice = found(new ToyMachine(0.05).kernel("project", nanos), 4).choices().getFirst();
            best += Arrays.stream(nanos).min().orElseThrow();
            reached += nanos[Integer.parseInt(choice.variant().substring(1))];
        }
        assertThat(best / reached).isGreaterThan(0.97);
    }

    @Test
    void sitesThatAreSettledAreNotSearched() {
        ToyMachine machine = new ToyMachine(0).kernel("project", 100_000, 50_000).kernel("attend", 100_000, 50_000);
        List<Choice> choices = new Search(machine, machine, machine::clock, () -> false)
                .at(1, Map.of(ToyMachine.site("attend"), machine.defaultVariant(ToyMachine.site("attend"), 1)))
                .orElseThrow()
                .choices();
        assertThat(choices).extracting(choice -> choice.site().kernel()).containsExactly("project");
    }

    @Test
    void endsWhenToldToStop() {
        ToyMachine machine = new ToyMachine(0).kernel("project", 100_000, 50_000);
        assertThat(new Search(machine, machine, machine::clock, () -> machine.steps() > 3).at(1, Map.of())).isEmpty();
    }

    @Test
    void tokenCountsDoubleUpToTheBudget() {
        assertThat(Search.tokenCounts(512)).containsExactly(1, 2, 4, 8, 16, 32, 64, 128, 256, 512);
        assertThat(Search.tokenCounts(100)).containsExactly(1, 2, 4, 8, 16, 32, 64, 100);
        assertThat(Search.tokenCounts(1)).containsExactly(1);
    }
}
