package io.moebius.engine;

import static io.moebius.engine.ToyEngine.LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.Batch;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The tokens that sequences get, alone, in company and preempted, and how steps are filled. */
@ParameterizedClass
@EnumSource
class StepEngineTest {

    @AutoClose
    private final ToyEngine toy;

    StepEngineTest(ToyEngine.Loop loop) {
        toy = new ToyEngine(loop);
    }

    @Test
    void decodesGreedily() {
        toy.start();
        Prompt prompt = Prompts.greedy(40, 1, 2, 3);
        Collector collector = toy.submit(prompt);
        assertThat(collector.reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(collector.tokens()).hasSize(40).isEqualTo(Prompts.expected(prompt));
    }

    @Test
    void givesTheSameTokensAloneAndInCompany() throws InterruptedException {
        toy.start();
        List<Prompt> prompts = Prompts.mixed(32, 60);
        toy.assertAllAsAlone(prompts, toy.submitTogether(prompts));
        assertThat(toy.decoder.batches()).anyMatch(batch -> batch.sequences() > 8);
    }

    @Test
    void givesTheSameTokensWhenPreempted() throws InterruptedException {
        toy.start(9, 8, 64, 100);
        List<Prompt> prompts = Prompts.mixed(32, 60);
        toy.assertAllAsAlone(prompts, toy.submitTogether(prompts));
        long prefillsFromTheStart = toy.decoder.batches().stream()
                .flatMapToInt(batch -> IntStream.range(0, batch.sequences()).map(s -> batch.positions()[batch.offsets()[s]]))
                .filter(position -> position == 0)
                .count();
        assertThat(prefillsFromTheStart).isGreaterThan(32);
    }

    /** A backend may compute both in different ways: what was generated stays that when it is computed again. */
    @Test
    void tellsTokensOfPromptsFromGeneratedOnes() throws InterruptedException {
        toy.start(5, 4, 64, 10);
        List<Prompt> prompts = IntStream.range(0, 4).mapToObj(i -> Prompts.greedy(40, IntStream.range(i, i + 17).toArray())).toList();
        toy.assertAllAsAlone(prompts, toy.submitTogether(prompts));
        List<Batch> batches = toy.decoder.batches();
        assertThat(batches).allSatisfy(batch -> {
            for (int t = 0; t < batch.size(); t++) {
                assertThat(batch.promptTokens()[t]).isEqualTo((byte) (batch.positions()[t] < 17 ? 1 : 0));
            }
        });
        assertThat(batches).as("computed again").anyMatch(batch -> IntStream.range(0, batch.sequences())
                .anyMatch(s -> batch.positions()[batch.offsets()[s]] == 0 && batch.positions()[batch.offsets()[s + 1] - 1] >= 17));
    }

    @Test
    void letsASequenceFillTheWholePool() {
        toy.start(2, 4, 64, 10);
        Prompt prompt = Prompts.greedy(32, 9);
        assertThat(toy.submit(prompt).awaitTokens()).isEqualTo(Prompts.expected(prompt));
    }

    @Test
    void readsNoMorePromptTokensInAStepThanItMay() throws InterruptedException {
        toy.start(400, new Limits(8, 64, 5, 200, 100));
        List<Prompt> prompts = Prompts.mixed(12, 20);
        toy.assertAllAsAlone(prompts, toy.submitTogether(prompts));
        assertThat(toy.decoder.batches()).allMatch(batch -> promptTokens(batch) <= 5);
        assertThat(toy.decoder.batches()).anyMatch(batch -> batch.size() > 5);
    }

    /** Tokens of slices that are longer than one: what is read of prompts, but for their last tokens. */
    private static int promptTokens(Batch batch) {
        return IntStream.range(0, batch.sequences())
                .map(s -> batch.offsets()[s + 1] - batch.offsets()[s])
                .filter(count -> count > 1)
                .sum();
    }

    @Test
    void keepsToTheTokenBudgetAndCutsPrompts() throws InterruptedException {
        toy.start(400, 4, 7, 100);
        List<Prompt> prompts = Prompts.mixed(12, 20);
        toy.assertAllAsAlone(prompts, toy.submitTogether(prompts));
        assertThat(toy.decoder.batches()).allMatch(batch -> batch.size() <= 7 && batch.sequences() <= 4);
        assertThat(toy.decoder.batches()).anyMatch(batch -> batch.logitRows().length == 0);
    }

    @Test
    void endsAtAStopTokenAndReportsIt() {
        toy.start();
        int stop = Prompts.expected(Prompts.greedy(4, 1, 2)).get(3);
        Collector collector = toy.submit(new Prompt(new int[] {1, 2}, 40, 0, Set.of(stop), Sampling.greedy(), -1));
        assertThat(collector.reason()).isEqualTo(FinishReason.STOP);
        assertThat(collector.tokens()).hasSizeLessThanOrEqualTo(4).endsWith(stop);
    }

    @Test
    void tellsTheObserverOfEachSequence() throws InterruptedException {
        StepEngine engine = toy.start();
        toy.submit(Prompts.greedy(4, 1, 2, 3)).reason();
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(toy.observer.queued).containsExactly(3);
        assertThat(toy.observer.firstTokens.get()).isEqualTo(1);
        assertThat(toy.observer.outcomes).containsExactly("FINISHED 4");
    }

    @Test
    void refusesAStepLargerThanTheModelTakes() {
        Limits limits = new Limits(1, 5000, 5000, 100, 1);
        assertThatThrownBy(() -> new StepEngine(toy.decoder, new ToyDecoder.Cache(1), limits, toy.observer, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("5000");
    }
}
