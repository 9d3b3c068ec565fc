package io.moebius.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DeviceLostException;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import io.moebius.backend.cuda.EmulatedDriver;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The engine on the CUDA backend, its kernels run in emulation. */
class CudaEngineTest {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/m-friendli-fp8");
    private static final int CUDA_ERROR_ILLEGAL_ADDRESS = 700;
    /** So few blocks that sequences are preempted. */
    private static final int BLOCKS = 5;

    private final Backend backend = EmulatedDriver.backend(Activations.EIGHT_BIT);
    private final Decoder decoder = Transformer.load(Checkpoint.open(MODEL), backend, 32, 4, fraction -> {});

    @AfterEach
    void close() {
        EmulatedDriver.mend();
        backend.close();
    }

    @Test
    void drawsOnTheDeviceWhatTheHostWouldDraw() {
        List<Prompt> prompts = prompts();
        List<List<Integer>> onDevice = generate(decoder, prompts);
        assertThat(decoder.sampler()).isPresent();
        assertThat(onDevice).isEqualTo(generate(new DrawnOnHost(decoder), prompts));
        assertThat(EmulatedDriver.calls("cuGraphLaunch")).isPositive();
    }

    @Test
    void aLostDeviceEndsTheEngineAndFailsAll() {
        StepEngine engine = engine(decoder);
        EmulatedDriver.orderFailure("cuEventSynchronize", 6, CUDA_ERROR_ILLEGAL_ADDRESS);
        List<Collector> collectors = submit(engine, prompts());
        assertThat(collectors).allSatisfy(collector -> assertThat(collector.failure()).isInstanceOf(DeviceLostException.class));
        engine.close();
        assertThat(engine.alive()).isFalse();
    }

    private StepEngine engine(Decoder on) {
        return new StepEngine(on, backend.kvCache(on.kvShape(), BLOCKS), new Limits(4, 32, 32, 64, 100), new RecordingObserver(), false);
    }

    private List<List<Integer>> generate(Decoder on, List<Prompt> prompts) {
        try (StepEngine engine = engine(on)) {
            return submit(engine, prompts).stream().map(Collector::awaitTokens).toList();
        }
    }

    private static List<Collector> submit(StepEngine engine, List<Prompt> prompts) {
        List<Collector> collectors = new ArrayList<>();
        for (Prompt prompt : prompts) {
            collectors.add(new Collector());
            engine.submit(prompt, collectors.getLast());
        }
        return collectors;
    }

    private List<Prompt> prompts() {
        Random random = new Random(11);
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int[] tokens = random.ints(8 + i, 0, decoder.vocabulary()).toArray();
            Sampling sampling = switch (i % 3) {
                case 0 -> Sampling.greedy();
                case 1 -> new Sampling(1, 20, 0.9f, 0, 1, 0, 0, Map.of(tokens[0], 2f), i);
                default -> new Sampling(1.5f, 0, 1, 0.01f, 1.3f, 0.5f, 0.25f, Map.of(), i);
            };
            prompts.add(new Prompt(tokens, 12, i, Set.of(tokens[1]), sampling, i - 1));
        }
        return prompts;
    }

    /** The same decoder, of which the host reads the logits. */
    private record DrawnOnHost(Decoder decoder) implements Decoder {
        @Override
        public Backend backend() {
            return decoder.backend();
        }

        @Override
        public int vocabulary() {
            return decoder.vocabulary();
        }

        @Override
        public int maxBatchTokens() {
            return decoder.maxBatchTokens();
        }

        @Override
        public KvCache.Shape kvShape() {
            return decoder.kvShape();
        }

        @Override
        public Tensor forward(Batch batch, KvCache cache) {
            return decoder.forward(batch, cache);
        }
    }
}
