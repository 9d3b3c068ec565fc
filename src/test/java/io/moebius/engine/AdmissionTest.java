package io.moebius.engine;

import static io.moebius.engine.ToyEngine.LONG;
import static io.moebius.engine.ToyEngine.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Whom the engine takes in: not more than its queue holds, and nobody once it drains or is closed. */
@ParameterizedClass
@EnumSource
class AdmissionTest {

    @AutoClose
    private final ToyEngine toy;

    AdmissionTest(ToyEngine.Loop loop) {
        toy = new ToyEngine(loop);
    }

    @Test
    void refusesMoreThanTheQueueHolds() {
        toy.start(400, 2, 64, 3);
        Semaphore permits = toy.stepByStep();
        List<Collector> collectors = toy.submitAll(Prompts.mixed(5, 10));
        assertThatThrownBy(() -> toy.submit(Prompts.greedy(1, 1)))
                .isInstanceOf(QueueFullException.class)
                .hasMessageContaining("5");
        permits.release(10_000);
        collectors.forEach(Collector::reason);
    }

    @Test
    void drainWaitsForAllAndAcceptsNoMore() throws InterruptedException {
        StepEngine engine = toy.start();
        Semaphore permits = toy.stepByStep();
        List<Collector> collectors = toy.submitAll(Prompts.mixed(8, 20));
        assertThat(engine.drain(Duration.ofMillis(1))).isFalse();
        assertThatThrownBy(() -> toy.submit(Prompts.greedy(1, 1))).isInstanceOf(IllegalStateException.class);
        permits.release(10_000);
        assertThat(engine.drain(LONG)).isTrue();
        assertThat(collectors).allMatch(Collector::hasEnded);
    }

    @Test
    void closeFailsWhatIsRunning() {
        StepEngine engine = toy.start(400, 2, 64, 10);
        CountDownLatch second = new CountDownLatch(2);
        toy.decoder.beforeStep = batch -> second.countDown();
        List<Collector> collectors = toy.submitAll(List.of(
                Prompts.greedy(190, 1), Prompts.greedy(190, 2), Prompts.greedy(190, 3), Prompts.greedy(190, 4)));
        await(second);
        engine.close();
        assertThat(collectors).allMatch(Collector::hasEnded);
        assertThat(engine.load().usedBlocks()).isZero();
        assertThat(engine.alive()).isFalse();
        assertThatThrownBy(() -> toy.submit(Prompts.greedy(1, 1))).isInstanceOf(IllegalStateException.class);
    }
}
