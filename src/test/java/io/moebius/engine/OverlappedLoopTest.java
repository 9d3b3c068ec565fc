package io.moebius.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Batch;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;

class OverlappedLoopTest {

    private final ToyDecoder decoder = ToyDecoder.asynchronous();
    private final Semaphore permits = new Semaphore(0);

    private StepEngine start() {
        decoder.beforeStep = batch -> permits.acquireUninterruptibly();
        return new StepEngine(decoder, new ToyDecoder.Cache(100), new Limits(4, 64, 64, 200, 10), new RecordingObserver(), false);
    }

    @Test
    void startsAStepBeforeTheTokensOfTheOneBeforeAreKnown() {
        try (StepEngine engine = start()) {
            Collector collector = new Collector();
            engine.submit(Prompts.greedy(3, 1, 2), collector);
            decoder.awaitForwards(2);
            assertThat(decoder.batches()).isEmpty();
            assertThat(collector.tokens()).isEmpty();
            permits.release(100);
            assertThat(collector.awaitTokens()).isEqualTo(Prompts.expected(Prompts.greedy(3, 1, 2)));
            assertThat(decoder.batches()).extracting(batch -> batch.tokens()[0]).containsExactly(1, ~0, ~0);
        }
    }

    @Test
    void plansNoStepForASequenceWhoseLastTokenIsOnItsWay() {
        try (StepEngine engine = start()) {
            permits.release(100);
            Collector collector = new Collector();
            engine.submit(Prompts.greedy(5, 1, 2), collector);
            collector.reason();
        }
        assertThat(decoder.batches()).hasSize(5);
    }

    @Test
    void newcomersJoinTheNextStepThatIsPlanned() {
        try (StepEngine engine = start()) {
            Collector first = new Collector();
            engine.submit(Prompts.greedy(50, 1), first);
            decoder.awaitForwards(2);
            Collector second = new Collector();
            engine.submit(Prompts.greedy(1, 2), second);
            permits.release(3);
            second.reason();
            permits.release(100);
            first.reason();
        }
        List<Batch> batches = decoder.batches();
        assertThat(batches.get(2).sequences()).isEqualTo(2);
    }
}
