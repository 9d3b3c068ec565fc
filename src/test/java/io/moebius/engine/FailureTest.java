package io.moebius.engine;

import static io.moebius.engine.ToyEngine.LONG;
import static io.moebius.engine.ToyEngine.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.DeviceLostException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What fails ends its own sequence, its step, or the engine, and nothing more. */
@ParameterizedClass
@EnumSource
class FailureTest {

    @AutoClose
    private final ToyEngine toy;

    FailureTest(ToyEngine.Loop loop) {
        toy = new ToyEngine(loop);
    }

    @Test
    void aNanEndsItsSequenceAlone() throws InterruptedException {
        toy.start();
        toy.decoder.poison = 63;
        List<Prompt> others = Prompts.mixed(64, 20).stream()
                .filter(prompt -> prompt.tokens()[prompt.tokens().length - 1] != 63)
                .filter(prompt -> !Prompts.expected(prompt).contains(63))
                .limit(31)
                .toList();
        Semaphore permits = toy.stepByStep();
        Collector poisoned = toy.submit(Prompts.greedy(5, 1, 63));
        List<Collector> collectors = toy.submitAll(others);
        permits.release(10_000);
        assertThat(poisoned.failure()).isInstanceOf(NotANumberException.class).hasMessageContaining("position 2");
        assertThat(others).hasSize(31);
        toy.assertAllAsAlone(others, collectors);
        assertThat(toy.observer.outcomes).contains("FAILED 0");
    }

    @Test
    void goesOnOverANanWhenToldTo() {
        toy.decoder.poison = 63;
        toy.start(10, new Limits(1, 64, 64, 100, 1), true);
        assertThat(toy.submit(Prompts.greedy(5, 1, 63)).awaitTokens()).hasSize(5);
    }

    @Test
    void aThrowingListenerEndsItsSequenceAlone() throws InterruptedException {
        StepEngine engine = toy.start();
        Semaphore permits = toy.stepByStep();
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
        List<Collector> collectors = toy.submitAll(others);
        permits.release(10_000);
        toy.assertAllAsAlone(others, collectors);
        assertThat(toy.observer.outcomes).contains("CANCELLED 1");
    }

    @Test
    void aFailedStepFailsItsSequencesAndTheEngineGoesOn() {
        StepEngine engine = toy.start();
        toy.decoder.beforeStep = batch -> {
            toy.decoder.beforeStep = next -> {};
            throw new IllegalStateException("kernel failed");
        };
        assertThat(toy.submit(Prompts.greedy(5, 1)).failure()).hasMessage("kernel failed");
        Prompt prompt = Prompts.greedy(5, 2);
        assertThat(toy.submit(prompt).awaitTokens()).isEqualTo(Prompts.expected(prompt));
        assertThat(engine.alive()).isTrue();
    }

    @Test
    void diesWhenThreeStepsInARowFail() throws InterruptedException {
        StepEngine engine = toy.start(400, 1, 64, 10);
        List<Collector> collectors = submitAllBeforeStepsFail(Prompts.mixed(5, 10), () -> new IllegalStateException("kernel failed"));
        assertThat(collectors).allSatisfy(collector -> assertThat(collector.failure()).isNotNull());
        assertThat(engine.drain(LONG)).isTrue();
        engine.close();
        assertThat(engine.alive()).isFalse();
        assertThat(engine.load()).isEqualTo(new Engine.Load(0, 0, 0, 400));
        assertThatThrownBy(() -> toy.submit(Prompts.greedy(1, 1))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void failingStepsLeaveNothingBehind() throws InterruptedException {
        StepEngine engine = toy.start(20, 8, 32, 1000);
        List<Prompt> prompts = Prompts.mixed(200, 30);
        AtomicInteger steps = new AtomicInteger();
        toy.decoder.beforeStep = batch -> {
            if (steps.incrementAndGet() % 7 == 0) {
                throw new IllegalStateException("kernel failed");
            }
        };
        List<Collector> collectors = toy.submitAll(prompts);
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
        StepEngine engine = toy.start(400, 2, 64, 10);
        List<Collector> collectors = submitAllBeforeStepsFail(Prompts.mixed(8, 10), () -> new DeviceLostException("the device has left the bus"));
        assertThat(collectors).allSatisfy(collector -> assertThat(collector.failure()).hasMessage("the device has left the bus"));
        assertThat(engine.drain(LONG)).isTrue();
        engine.close();
        assertThat(engine.alive()).isFalse();
        assertThat(toy.decoder.batches()).isEmpty();
        assertThat(engine.load()).isEqualTo(new Engine.Load(0, 0, 0, 400));
    }

    private List<Collector> submitAllBeforeStepsFail(List<Prompt> prompts, Supplier<RuntimeException> failure) {
        CountDownLatch allSubmitted = new CountDownLatch(1);
        toy.decoder.beforeStep = batch -> {
            await(allSubmitted);
            throw failure.get();
        };
        List<Collector> collectors = toy.submitAll(prompts);
        allSubmitted.countDown();
        return collectors;
    }
}
