package io.moebius.engine;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DeviceSampler;
import io.moebius.backend.DrawnTokens;
import io.moebius.backend.Draws;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import io.moebius.model.Decoder;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine's own time per step: a model and a sampler that do nothing. Not run by default; prints microseconds. */
class StepCost {

    private static final int PROMPT = 2048;
    private static final int STEPS = 6000;
    private static final int WARM_UP = 2000;

    @ParameterizedTest
    @ValueSource(ints = {1, 64, 256, 1024})
    void printsMicrosecondsPerStep(int sequences) throws InterruptedException {
        IdleModel model = new IdleModel();
        Limits limits = new Limits(sequences, 8192, 8192, PROMPT + STEPS, 4096);
        int blocks = sequences * RunningSequence.blocksFor(PROMPT + STEPS);
        CountDownLatch left = new CountDownLatch(sequences);
        Sampling drawn = new Sampling(0.8f, 50, 0.95f, 0, 1, 0.1f, 0, Map.of(), 1);
        try (StepEngine engine = new StepEngine(model, () -> blocks, limits, new RecordingObserver(), false)) {
            for (int i = 0; i < sequences; i++) {
                int[] prompt = new int[PROMPT];
                engine.submit(Prompts.with(i % 2 == 0 ? drawn : Sampling.greedy(), STEPS, prompt), new SequenceListener() {
                    @Override
                    public void token(GeneratedToken token) {}

                    @Override
                    public void finished(FinishReason reason) {
                        left.countDown();
                    }

                    @Override
                    public void failed(RuntimeException cause) {
                        throw cause;
                    }
                });
            }
            model.allSubmitted.countDown();
            left.await();
        }
        long[] nanos = model.nanosBetweenDecodes(sequences);
        System.out.printf("%d sequences: median %.1f us per step, 99 of 100 below %.1f us%n",
                sequences, nanos[nanos.length / 2] / 1e3, nanos[nanos.length * 99 / 100] / 1e3);
    }

    private static final class IdleModel implements Decoder, DeviceSampler {
        private final CountDownLatch allSubmitted = new CountDownLatch(1);
        private final long[] times = new long[3 * STEPS];
        private final int[] sizes = new int[3 * STEPS];
        private int steps;

        /** Sorted, of the steps in which all decode, the first ones left out. */
        long[] nanosBetweenDecodes(int sequences) {
            long[] nanos = new long[steps];
            int count = 0;
            for (int i = 1; i < steps; i++) {
                if (sizes[i] == sequences && sizes[i - 1] == sequences) {
                    nanos[count++] = times[i] - times[i - 1];
                }
            }
            long[] warm = Arrays.copyOfRange(nanos, Math.min(WARM_UP, count / 2), count);
            Arrays.sort(warm);
            return warm;
        }

        @Override
        public Backend backend() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Optional<DeviceSampler> sampler() {
            return Optional.of(this);
        }

        @Override
        public int vocabulary() {
            return 32_000;
        }

        @Override
        public int maxBatchTokens() {
            return 8192;
        }

        @Override
        public KvCache.Shape kvShape() {
            return new KvCache.Shape(1, 1, 1);
        }

        @Override
        public Tensor forward(Batch batch, KvCache cache) {
            try {
                allSubmitted.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            sizes[steps] = batch.size();
            times[steps++] = System.nanoTime();
            return null;
        }

        @Override
        public void remember(int slot, int[] tokens, int prompt, int length) {}

        @Override
        public Pending draw(Tensor logits, Draws draws) {
            int rows = draws.rows();
            return () -> new DrawnTokens(new int[rows], new int[rows], new float[rows], 0, new int[0], new float[0]);
        }
    }
}
