package io.moebius.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;

/** A step engine over the toy model, in one of its two loops: started by the test, closed after it. */
final class ToyEngine implements AutoCloseable {

    enum Loop {
        PLAIN,
        OVERLAPPED
    }

    static final Duration LONG = Duration.ofSeconds(30);

    final ToyDecoder decoder;
    final RecordingObserver observer = new RecordingObserver();
    private final Loop loop;
    private StepEngine engine;

    ToyEngine(Loop loop) {
        this.loop = loop;
        decoder = loop == Loop.PLAIN ? ToyDecoder.synchronous() : ToyDecoder.asynchronous();
    }

    /** Steps that may be on their way when a sequence ends. */
    int superfluous() {
        return loop == Loop.PLAIN ? 0 : 1;
    }

    StepEngine start() {
        return start(400, 32, 256, 100);
    }

    StepEngine start(int blocks, int maxBatchSequences, int maxBatchTokens, int maxQueue) {
        return start(blocks, new Limits(maxBatchSequences, maxBatchTokens, maxBatchTokens, 200, maxQueue));
    }

    StepEngine start(int blocks, Limits limits) {
        return start(blocks, limits, false);
    }

    StepEngine start(int blocks, Limits limits, boolean ignoreNan) {
        engine = new StepEngine(decoder, new ToyDecoder.Cache(blocks), limits, observer, ignoreNan);
        return engine;
    }

    /** Lets the engine take one step for each permit. */
    Semaphore stepByStep() {
        Semaphore permits = new Semaphore(0);
        decoder.beforeStep = batch -> permits.acquireUninterruptibly();
        return permits;
    }

    Collector submit(Prompt prompt) {
        Collector collector = new Collector();
        engine.submit(prompt, collector);
        return collector;
    }

    List<Collector> submitAll(List<Prompt> prompts) {
        return prompts.stream().map(this::submit).toList();
    }

    /** Holds the first step back until all are there. */
    List<Collector> submitTogether(List<Prompt> prompts) {
        Semaphore permits = stepByStep();
        List<Collector> collectors = submitAll(prompts);
        permits.release(100_000);
        return collectors;
    }

    void assertAllAsAlone(List<Prompt> prompts, List<Collector> collectors) throws InterruptedException {
        for (int i = 0; i < prompts.size(); i++) {
            assertThat(collectors.get(i).awaitTokens()).as("sequence " + i).isEqualTo(Prompts.expected(prompts.get(i)));
        }
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(engine.load()).isEqualTo(new Engine.Load(0, 0, 0, engine.load().totalBlocks()));
    }

    static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        if (engine != null) {
            engine.close();
        }
    }
}
