package io.moebius.engine;

import static io.moebius.engine.ToyEngine.LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Sequences that are cancelled: while they wait, while they run, by their own listener, and from many threads. */
@ParameterizedClass
@EnumSource
class CancellationTest {

    @AutoClose
    private final ToyEngine toy;

    CancellationTest(ToyEngine.Loop loop) {
        toy = new ToyEngine(loop);
    }

    @Test
    void cancellationFreesTheBlocksBeforeTheNextStep() throws InterruptedException {
        StepEngine engine = toy.start(400, 1, 64, 10);
        Semaphore permits = toy.stepByStep();
        Collector running = new Collector();
        Collector queued = new Collector();
        Ticket first = engine.submit(Prompts.greedy(100, 1, 2, 3), running);
        Ticket second = engine.submit(Prompts.greedy(100, 4, 5, 6), queued);
        Collector last = toy.submit(Prompts.greedy(1, 7));
        first.cancel();
        second.cancel();
        permits.release(100);
        assertThat(last.reason()).isEqualTo(FinishReason.LENGTH);
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(engine.load().usedBlocks()).isZero();
        assertThat(running.tokens()).isEmpty();
        assertThat(queued.tokens()).isEmpty();
        assertThat(running.hasEnded() || queued.hasEnded()).isFalse();
        assertThat(toy.decoder.batches()).hasSizeLessThanOrEqualTo(2 + toy.superfluous());
        assertThat(toy.observer.outcomes)
                .containsExactlyInAnyOrder("CANCELLED 0", "CANCELLED 0", "FINISHED 1");
    }

    @Test
    void cancellationFromTheListenerIsTheLastItHears() throws InterruptedException {
        StepEngine engine = toy.start();
        Semaphore permits = toy.stepByStep();
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
        assertThat(toy.decoder.batches()).hasSizeBetween(3, 3 + toy.superfluous());
    }

    @Test
    void survivesManyThreadsThatSubmitAndCancel() throws Exception {
        StepEngine engine = toy.start(20, 8, 32, 1000);
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
        assertThat(toy.observer.outcomes).hasSize(200).noneMatch(outcome -> outcome.startsWith("FAILED"));
    }
}
