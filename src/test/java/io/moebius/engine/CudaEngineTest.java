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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine on the CUDA backend, its kernels run in emulation. */
class CudaEngineTest {

    private static final Path MODEL = Path.of("src/test/resources/fixtures/m-friendli-fp8");
    private static final int CUDA_ERROR_ILLEGAL_ADDRESS = 700;
    /** So few blocks that sequences are preempted. */
    private static final int BLOCKS = 5;
    /** Every prompt fits into a step. */
    private static final Limits ONE_PIECE = new Limits(4, 32, 32, 64, 100);
    /** Nothing but decodes: its steps are repeated. */
    private static final Prompt DECODES = new Prompt(new int[] {1}, 12, 0, Set.of(), Sampling.greedy(), -1);

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
    void promptsThatAreReadInPiecesBesideDecodesGiveTheSameTokens() {
        List<Prompt> prompts = prompts();
        assertThat(generate(decoder, prompts, new Limits(4, 8, 3, 64, 100))).isEqualTo(generate(decoder, prompts));
    }

    @Test
    void aRequestThatIsCancelledAmidItsTokensLeavesTheOthersAsTheyAre() {
        List<Prompt> prompts = prompts();
        List<List<Integer>> expected = generate(decoder, prompts);
        try (StepEngine engine = engine(decoder, ONE_PIECE)) {
            CancelledAfter cancelled = new CancelledAfter(3);
            cancelled.ticket.complete(engine.submit(prompts.getFirst(), cancelled));
            List<Collector> others = submit(engine, prompts.subList(1, prompts.size()));
            assertThat(others.stream().map(Collector::awaitTokens).toList()).isEqualTo(expected.subList(1, prompts.size()));
            assertThat(cancelled.heard).hasValue(3);
        }
    }

    @Test
    void aRepeatedStepAllocatesNothingAndWaitsOnlyForTokensAndForRoomForItsInputs() {
        List<String> functions = List.of(
                "cuGraphLaunch", "cuMemcpyDtoHAsync_v2", "cuEventSynchronize", "cuStreamSynchronize", "cuMemAlloc_v2", "cuLaunchKernelEx");
        try (StepEngine engine = engine(decoder, ONE_PIECE)) {
            submit(engine, List.of(DECODES)).getFirst().awaitTokens();
            List<Integer> before = functions.stream().map(EmulatedDriver::calls).toList();
            submit(engine, List.of(DECODES)).getFirst().awaitTokens();
            List<Integer> calls = IntStream.range(0, functions.size()).mapToObj(i -> EmulatedDriver.calls(functions.get(i)) - before.get(i)).toList();
            // One launch besides the recorded ones: the draw.
            assertThat(calls).containsExactly(12, 12, 2 * 12, 0, 0, 12);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "cuMemcpyHtoDAsync_v2", "cuLaunchKernelEx", "cuMemcpyDtoHAsync_v2", "cuEventRecord", "cuEventSynchronize", "cuStreamBeginCapture_v2",
        "cuStreamEndCapture", "cuGraphInstantiateWithFlags", "cuGraphLaunch",
    })
    void aDeviceThatIsLostInAnyCallEndsTheEngineAndFailsItsRequests(String function) {
        StepEngine engine = engine(decoder, ONE_PIECE);
        EmulatedDriver.orderFailure(function, 1, CUDA_ERROR_ILLEGAL_ADDRESS);
        assertThat(submit(engine, List.of(DECODES)).getFirst().failure()).isInstanceOf(DeviceLostException.class);
        engine.close();
        assertThat(engine.alive()).isFalse();
        backend.close();
    }

    private StepEngine engine(Decoder on, Limits limits) {
        return new StepEngine(on, backend.kvCache(on.kvShape(), BLOCKS), limits, new RecordingObserver(), false);
    }

    private List<List<Integer>> generate(Decoder on, List<Prompt> prompts) {
        return generate(on, prompts, ONE_PIECE);
    }

    private List<List<Integer>> generate(Decoder on, List<Prompt> prompts, Limits limits) {
        try (StepEngine engine = engine(on, limits)) {
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

    /** Cancels its own sequence when it has heard so many tokens. */
    private static final class CancelledAfter implements SequenceListener {

        final CompletableFuture<Ticket> ticket = new CompletableFuture<>();
        final AtomicInteger heard = new AtomicInteger();
        private final int most;

        CancelledAfter(int most) {
            this.most = most;
        }

        @Override
        public void token(GeneratedToken token) {
            if (heard.incrementAndGet() == most) {
                ticket.join().cancel();
            }
        }

        @Override
        public void finished(FinishReason reason) {}

        @Override
        public void failed(RuntimeException cause) {}
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
