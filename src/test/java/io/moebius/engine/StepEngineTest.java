package io.moebius.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.Batch;
import io.moebius.backend.DeviceLostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource
class StepEngineTest {

    private static final Duration LONG = Duration.ofSeconds(30);

    private final Loop loop;
    private final ToyDecoder decoder;
    private final RecordingObserver observer = new RecordingObserver();
    private StepEngine engine;

    enum Loop {
        PLAIN,
        OVERLAPPED
    }

    StepEngineTest(Loop loop) {
        this.loop = loop;
        decoder = loop == Loop.PLAIN ? ToyDecoder.synchronous() : ToyDecoder.asynchronous();
    }

    /** Steps that may be on their way when a sequence ends. */
    private int superfluous() {
        return loop == Loop.PLAIN ? 0 : 1;
    }

    @AfterEach
    void close() {
        if (engine != null) {
            engine.close();
        }
    }

    private void start(int blocks, int maxBatchSequences, int maxBatchTokens, int maxQueue) {
        start(blocks, new Limits(maxBatchSequences, maxBatchTokens, maxBatchTokens, 200, maxQueue));
    }

    private void start(int blocks, Limits limits) {
        engine = new StepEngine(decoder, new ToyDecoder.Cache(blocks), limits, observer, false);
    }

    private void start() {
        start(400, 32, 256, 100);
    }

    private List<Collector> submitAll(List<Prompt> prompts) {
        return prompts.stream().map(this::submit).toList();
    }

    /** Holds the first step back until all are there. */
    private List<Collector> submitTogether(List<Prompt> prompts) {
        Semaphore permits = stepByStep();
        List<Collector> collectors = submitAll(prompts);
        permits.release(100_000);
        return collectors;
    }

    private Collector submit(Prompt prompt) {
        Collector collector = new Collector();
        engine.submit(prompt, collector);
        return collector;
    }

    /** Lets the engine take one step for each permit. */
    private Semaphore stepByStep() {
        Semaphore permits = new Semaphore(0);
        decoder.beforeStep = batch -> permits.acquireUninterruptibly();
        return permits;
    }

    private void assertAllAsAlone(List<Prompt> prompts, List<Collector> collectors) throws InterruptedException {
        for (int i = 0; i < prompts.size(); i++) {
            assertThat(collectors.get(i).awaitTokens()).as("sequence " + i).isEqualTo(Prompts.expected(prompts.get(i)));
        }
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(engine.load()).isEqualTo(new Engine.Load(0, 0, 0, engine.load().totalBlocks()));
    }

    @Test
    void decodesGreedily() {
        start();
        Prompt prompt = Prompts.greedy(40, 1, 2, 3);
        Collector collector = submit(prompt);
        assertThat(collector.reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(collector.tokens()).hasSize(40).isEqualTo(Prompts.expected(prompt));
    }

    @Test
    void givesTheSameTokensAloneAndInCompany() throws InterruptedException {
        start();
        List<Prompt> prompts = Prompts.mixed(32, 60);
        assertAllAsAlone(prompts, submitTogether(prompts));
        assertThat(decoder.batches()).anyMatch(batch -> batch.sequences() > 8);
    }

    @Test
    void givesTheSameTokensWhenPreempted() throws InterruptedException {
        start(9, 8, 64, 100);
        List<Prompt> prompts = Prompts.mixed(32, 60);
        assertAllAsAlone(prompts, submitTogether(prompts));
        long prefillsFromTheStart = decoder.batches().stream()
                .flatMapToInt(batch -> IntStream.range(0, batch.sequences()).map(s -> batch.positions()[batch.offsets()[s]]))
                .filter(position -> position == 0)
                .count();
        assertThat(prefillsFromTheStart).isGreaterThan(32);
    }

    /** A backend may compute both in different ways: what was generated stays that when it is computed again. */
    @Test
    void tellsTokensOfPromptsFromGeneratedOnes() throws InterruptedException {
        start(5, 4, 64, 10);
        List<Prompt> prompts = IntStream.range(0, 4).mapToObj(i -> Prompts.greedy(40, IntStream.range(i, i + 17).toArray())).toList();
        assertAllAsAlone(prompts, submitTogether(prompts));
        List<Batch> batches = decoder.batches();
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
        start(2, 4, 64, 10);
        Prompt prompt = Prompts.greedy(32, 9);
        assertThat(submit(prompt).awaitTokens()).isEqualTo(Prompts.expected(prompt));
    }

    @Test
    void readsNoMorePromptTokensInAStepThanItMay() throws InterruptedException {
        start(400, new Limits(8, 64, 5, 200, 100));
        List<Prompt> prompts = Prompts.mixed(12, 20);
        assertAllAsAlone(prompts, submitTogether(prompts));
        assertThat(decoder.batches()).allMatch(batch -> promptTokens(batch) <= 5);
        assertThat(decoder.batches()).anyMatch(batch -> batch.size() > 5);
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
        start(400, 4, 7, 100);
        List<Prompt> prompts = Prompts.mixed(12, 20);
        assertAllAsAlone(prompts, submitTogether(prompts));
        assertThat(decoder.batches()).allMatch(batch -> batch.size() <= 7 && batch.sequences() <= 4);
        assertThat(decoder.batches()).anyMatch(batch -> batch.logitRows().length == 0);
    }

    @Test
    void endsAtAStopTokenAndReportsIt() {
        start();
        int stop = Prompts.expected(Prompts.greedy(4, 1, 2)).get(3);
        Collector collector = submit(new Prompt(new int[] {1, 2}, 40, 0, Set.of(stop), Sampling.greedy(), -1));
        assertThat(collector.reason()).isEqualTo(FinishReason.STOP);
        assertThat(collector.tokens()).hasSizeLessThanOrEqualTo(4).endsWith(stop);
    }

    @Test
    void cancellationFreesTheBlocksBeforeTheNextStep() throws InterruptedException {
        start(400, 1, 64, 10);
        Semaphore permits = stepByStep();
        Collector running = new Collector();
        Collector queued = new Collector();
        Ticket first = engine.submit(Prompts.greedy(100, 1, 2, 3), running);
        Ticket second = engine.submit(Prompts.greedy(100, 4, 5, 6), queued);
        Collector last = submit(Prompts.greedy(1, 7));
        first.cancel();
        second.cancel();
        permits.release(100);
        assertThat(last.reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(engine.load().usedBlocks()).isZero();
        assertThat(running.tokens()).isEmpty();
        assertThat(queued.tokens()).isEmpty();
        assertThat(running.hasEnded() || queued.hasEnded()).isFalse();
        assertThat(decoder.batches()).hasSizeLessThanOrEqualTo(2 + superfluous());
        assertThat(observer.outcomes)
                .containsExactlyInAnyOrder("CANCELLED 0", "CANCELLED 0", "FINISHED 1");
    }

    @Test
    void survivesManyThreadsThatSubmitAndCancel() throws Exception {
        start(20, 8, 32, 1000);
        List<Prompt> prompts = Prompts.mixed(200, 30);
        Collector[] collectors = new Collector[prompts.size()];
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (int i = 0; i < prompts.size(); i++) {
                int index = i;
                threads.submit(() -> {
                    collectors[index] = new Collector();
                    Ticket ticket = engine.submit(prompts.get(index), collectors[index]);
                    if (index % 3 == 0) {
                        ticket.cancel();
                    }
                });
            }
        }
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(engine.load()).isEqualTo(new Engine.Load(0, 0, 0, 20));
        for (int i = 0; i < collectors.length; i++) {
            List<Integer> expected = Prompts.expected(prompts.get(i));
            assertThat(collectors[i].hasEnded() || i % 3 == 0).isTrue();
            assertThat(expected.subList(0, collectors[i].tokens().size())).isEqualTo(collectors[i].tokens());
        }
        assertThat(observer.outcomes).hasSize(200).noneMatch(outcome -> outcome.startsWith("FAILED"));
    }

    @Test
    void cancellationFromTheListenerIsTheLastItHears() throws InterruptedException {
        start();
        Semaphore permits = stepByStep();
        List<Integer> heard = new ArrayList<>();
        Ticket[] ticket = new Ticket[1];
        ticket[0] = engine.submit(Prompts.greedy(50, 1), new SequenceListener() {
            @Override
            public void token(GeneratedToken token) {
                heard.add(token.id());
                if (heard.size() == 3) {
                    ticket[0].cancel();
                }
            }

            @Override
            public void finished(FinishReason reason) {
                heard.add(-1);
            }

            @Override
            public void failed(RuntimeException cause) {
                heard.add(-2);
            }
        });
        permits.release(100);
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(heard).hasSize(3).allMatch(id -> id >= 0);
        assertThat(decoder.batches()).hasSizeBetween(3, 3 + superfluous());
    }

    @Test
    void aNanEndsItsSequenceAlone() throws InterruptedException {
        start();
        decoder.poison = 63;
        List<Prompt> others = Prompts.mixed(64, 20).stream()
                .filter(prompt -> prompt.tokens()[prompt.tokens().length - 1] != 63)
                .filter(prompt -> !Prompts.expected(prompt).contains(63))
                .limit(31)
                .toList();
        Semaphore permits = stepByStep();
        Collector poisoned = submit(Prompts.greedy(5, 1, 63));
        List<Collector> collectors = submitAll(others);
        permits.release(10_000);
        assertThat(poisoned.failure()).isInstanceOf(NotANumberException.class).hasMessageContaining("position 2");
        assertThat(others).hasSize(31);
        assertAllAsAlone(others, collectors);
        assertThat(observer.outcomes).contains("FAILED 0");
    }

    @Test
    void goesOnOverANanWhenToldTo() {
        decoder.poison = 63;
        engine = new StepEngine(decoder, new ToyDecoder.Cache(10), new Limits(1, 64, 64, 100, 1), observer, true);
        assertThat(submit(Prompts.greedy(5, 1, 63)).awaitTokens()).hasSize(5);
    }

    @Test
    void aThrowingListenerEndsItsSequenceAlone() throws InterruptedException {
        start();
        Semaphore permits = stepByStep();
        engine.submit(Prompts.greedy(50, 1), new SequenceListener() {
            @Override
            public void token(GeneratedToken token) {
                throw new AssertionError("meant to");
            }

            @Override
            public void finished(FinishReason reason) {}

            @Override
            public void failed(RuntimeException cause) {}
        });
        List<Prompt> others = Prompts.mixed(31, 40);
        List<Collector> collectors = submitAll(others);
        permits.release(10_000);
        assertAllAsAlone(others, collectors);
        assertThat(observer.outcomes).contains("CANCELLED 1");
    }

    @Test
    void aFailedStepFailsItsSequencesAndTheEngineGoesOn() {
        start();
        decoder.beforeStep = batch -> {
            decoder.beforeStep = next -> {};
            throw new IllegalStateException("kernel failed");
        };
        assertThat(submit(Prompts.greedy(5, 1)).failure()).hasMessage("kernel failed");
        Prompt prompt = Prompts.greedy(5, 2);
        assertThat(submit(prompt).awaitTokens()).isEqualTo(Prompts.expected(prompt));
        assertThat(engine.alive()).isTrue();
    }

    @Test
    void diesWhenThreeStepsInARowFail() throws InterruptedException {
        start(400, 1, 64, 10);
        CountDownLatch allSubmitted = new CountDownLatch(1);
        decoder.beforeStep = batch -> {
            await(allSubmitted);
            throw new IllegalStateException("kernel failed");
        };
        List<Collector> collectors = submitAll(Prompts.mixed(5, 10));
        allSubmitted.countDown();
        assertThat(collectors).allSatisfy(collector -> assertThat(collector.failure()).isNotNull());
        assertThat(engine.drain(LONG)).isTrue();
        engine.close();
        assertThat(engine.alive()).isFalse();
        assertThat(engine.load()).isEqualTo(new Engine.Load(0, 0, 0, 400));
        assertThatThrownBy(() -> submit(Prompts.greedy(1, 1))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void failingStepsLeaveNothingBehind() throws InterruptedException {
        start(20, 8, 32, 1000);
        List<Prompt> prompts = Prompts.mixed(200, 30);
        AtomicInteger steps = new AtomicInteger();
        decoder.beforeStep = batch -> {
            if (steps.incrementAndGet() % 7 == 0) {
                throw new IllegalStateException("kernel failed");
            }
        };
        List<Collector> collectors = submitAll(prompts);
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(engine.load()).isEqualTo(new Engine.Load(0, 0, 0, 20));
        assertThat(collectors).allMatch(Collector::hasEnded);
        for (int i = 0; i < collectors.size(); i++) {
            List<Integer> expected = Prompts.expected(prompts.get(i));
            assertThat(collectors.get(i).tokens()).isEqualTo(
                    collectors.get(i).failure() == null ? expected : expected.subList(0, collectors.get(i).tokens().size()));
        }
        assertThat(collectors).anyMatch(collector -> collector.failure() == null);
        assertThat(collectors).anyMatch(collector -> collector.failure() != null);
    }

    @Test
    void endsAtOnceWhenTheDeviceIsLost() throws InterruptedException {
        start(400, 2, 64, 10);
        CountDownLatch allSubmitted = new CountDownLatch(1);
        decoder.beforeStep = batch -> {
            await(allSubmitted);
            throw new DeviceLostException("the device has left the bus");
        };
        List<Collector> collectors = submitAll(Prompts.mixed(8, 10));
        allSubmitted.countDown();
        assertThat(collectors).allSatisfy(collector -> assertThat(collector.failure()).hasMessage("the device has left the bus"));
        assertThat(engine.drain(LONG)).isTrue();
        engine.close();
        assertThat(engine.alive()).isFalse();
        assertThat(decoder.batches()).isEmpty();
        assertThat(engine.load()).isEqualTo(new Engine.Load(0, 0, 0, 400));
    }

    @Test
    void refusesMoreThanTheQueueHolds() {
        start(400, 2, 64, 3);
        Semaphore permits = stepByStep();
        List<Collector> collectors = submitAll(Prompts.mixed(5, 10));
        assertThatThrownBy(() -> submit(Prompts.greedy(1, 1)))
                .isInstanceOf(QueueFullException.class)
                .hasMessageContaining("5");
        permits.release(10_000);
        collectors.forEach(Collector::reason);
    }

    @Test
    void drainWaitsForAllAndAcceptsNoMore() throws InterruptedException {
        start();
        Semaphore permits = stepByStep();
        List<Collector> collectors = submitAll(Prompts.mixed(8, 20));
        assertThat(engine.drain(Duration.ofMillis(1))).isFalse();
        assertThatThrownBy(() -> submit(Prompts.greedy(1, 1))).isInstanceOf(IllegalStateException.class);
        permits.release(10_000);
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(collectors).allMatch(Collector::hasEnded);
    }

    @Test
    void closeFailsWhatIsRunning() {
        start(400, 2, 64, 10);
        CountDownLatch second = new CountDownLatch(2);
        decoder.beforeStep = batch -> second.countDown();
        List<Collector> collectors = submitAll(List.of(
                Prompts.greedy(190, 1), Prompts.greedy(190, 2), Prompts.greedy(190, 3), Prompts.greedy(190, 4)));
        await(second);
        engine.close();
        assertThat(collectors).allMatch(Collector::hasEnded);
        assertThat(engine.load().usedBlocks()).isZero();
        assertThat(engine.alive()).isFalse();
        assertThatThrownBy(() -> submit(Prompts.greedy(1, 1))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void tellsTheObserverOfEachSequence() throws InterruptedException {
        start();
        submit(Prompts.greedy(4, 1, 2, 3)).reason();
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(observer.queued).containsExactly(3);
        assertThat(observer.firstTokens.get()).isEqualTo(1);
        assertThat(observer.outcomes).containsExactly("FINISHED 4");
    }

    @Test
    void refusesAStepLargerThanTheModelTakes() {
        Limits limits = new Limits(1, 5000, 5000, 100, 1);
        assertThatThrownBy(() -> new StepEngine(decoder, new ToyDecoder.Cache(1), limits, observer, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("5000");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
