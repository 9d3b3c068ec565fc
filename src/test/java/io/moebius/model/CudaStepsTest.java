package io.moebius.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.Activations;
import io.moebius.backend.Batch;
import io.moebius.backend.Dispatch;
import io.moebius.backend.KernelCall;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import io.moebius.backend.cuda.CudaBackend;
import io.moebius.backend.cuda.EmulatedDriver;
import io.moebius.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Steps of a whole model on the CUDA kernels: recorded ones, and rows that must not notice each other. */
class CudaStepsTest {

    private static final Path FIXTURE = Path.of("src/test/resources/fixtures/a-mixtral-window");
    private static final int SEQUENCES = 5;
    private static final int PROMPT = 6;
    private static final int STEPS = 4;

    private final CudaBackend backend = EmulatedDriver.backend(Activations.EIGHT_BIT);
    private final Decoder decoder = Transformer.load(Checkpoint.open(FIXTURE), backend, 32, SEQUENCES, fraction -> {});
    private final KvCache cache = backend.kvCache(decoder.kvShape(), 2 * SEQUENCES);

    @AfterEach
    void close() {
        EmulatedDriver.mend();
        backend.close();
    }

    @Test
    void recordedStepsGiveTheBitsOfSingleCalls() {
        float[][][] recorded = decode(3);
        assertThat(EmulatedDriver.calls("cuStreamBeginCapture_v2")).isPositive();
        backend.dispatch(oneByOne());
        assertThat(decode(3)).isDeepEqualTo(recorded);
    }

    @Test
    void aStepIsRecordedOnceForItsSize() {
        decode(3);
        int captures = EmulatedDriver.calls("cuStreamBeginCapture_v2");
        int launches = EmulatedDriver.calls("cuLaunchKernelEx");
        int graphs = EmulatedDriver.calls("cuGraphLaunch");
        step(new int[] {9, 8, 7, 6}, PROMPT + STEPS);
        step(new int[] {9, 8, 7}, PROMPT + STEPS);
        assertThat(EmulatedDriver.calls("cuStreamBeginCapture_v2")).isEqualTo(captures);
        assertThat(EmulatedDriver.calls("cuLaunchKernelEx")).isEqualTo(launches);
        assertThat(EmulatedDriver.calls("cuGraphLaunch")).isEqualTo(graphs + 2);
    }

    @Test
    void aSequencesBitsDoNotDependOnTheOthers() {
        float[][][] together = decode(SEQUENCES);
        float[][][] alone = decode(1);
        for (int step = 0; step < STEPS; step++) {
            assertThat(alone[step][0]).isEqualTo(together[step][0]);
        }
    }

    @Test
    void decodesAmongPrefillsGiveTheSameBits() {
        float[][][] apart = decode(1);
        prefill(0);
        int[] prompt = prompt(1);
        int[] tokens = IntStream.concat(IntStream.of(token(0, 0)), IntStream.of(prompt)).toArray();
        int[] positions = IntStream.concat(IntStream.of(PROMPT), IntStream.range(0, PROMPT)).toArray();
        Batch mixed = new Batch(tokens, positions, new int[] {0, 1, 1 + PROMPT}, new int[][] {table(0), table(1)}, new int[] {0, PROMPT});
        assertThat(read(decoder.forward(mixed, cache), 2)[0]).isEqualTo(apart[0][0]);
    }

    @Test
    void aPromptInPiecesGivesTheSameBits() {
        float[] whole = prefill(0);
        int[] prompt = prompt(0);
        int cut = 4;
        Batch first = new Batch(
                Arrays.copyOf(prompt, cut), IntStream.range(0, cut).toArray(), new int[] {0, cut}, new int[][] {table(0)}, new int[0]);
        decoder.forward(first, cache);
        Batch rest = new Batch(
                Arrays.copyOfRange(prompt, cut, PROMPT), IntStream.range(cut, PROMPT).toArray(), new int[] {0, PROMPT - cut},
                new int[][] {table(0)}, new int[] {PROMPT - cut - 1});
        assertThat(read(decoder.forward(rest, cache), 1)[0]).isEqualTo(whole);
    }

    @Test
    void rowsThatFillAStepUpTouchNobodysCache() {
        float[][] expected = IntStream.range(0, 4).mapToObj(s -> prefill(s)).toArray(float[][]::new);
        decode(3);
        assertThat(prefillAgain(3)).isEqualTo(expected[3]);
    }

    @Test
    void checksEveryTokenAndBlockOfARecordedStep() {
        decode(2);
        assertThatThrownBy(() -> step(new int[] {1, decoder.vocabulary()}, PROMPT)).hasMessageContaining("token 256 of 256");
        Batch batch = new Batch(new int[] {1}, new int[] {PROMPT}, new int[] {0, 1}, new int[][] {{2 * SEQUENCES}}, new int[] {0});
        assertThatThrownBy(() -> decoder.forward(batch, cache)).hasMessageContaining("cache block 10 of 10");
    }

    @Test
    void aFailureWhileRecordingLeavesTheBackendUsable() {
        float[][][] expected = decode(1);
        backend.dispatch(call -> call.run(backend.defaultVariant(call.site(), call.tokens())));
        prefill(0);
        step(new int[] {token(0, 0)}, PROMPT);
        EmulatedDriver.orderFailure("cuLaunchKernelEx", 3, 1);
        assertThatThrownBy(() -> step(new int[] {token(0, 0)}, PROMPT)).hasMessageContaining("CUDA_ERROR_INVALID_VALUE at moebius_");
        assertThat(decode(1)).isDeepEqualTo(expected);
    }

    @Test
    void aRecordingThatCannotBeginLeavesTheBackendUsable() {
        float[][][] expected = decode(1);
        backend.dispatch(call -> call.run(backend.defaultVariant(call.site(), call.tokens())));
        prefill(0);
        step(new int[] {token(0, 0)}, PROMPT);
        EmulatedDriver.orderFailure("cuStreamBeginCapture_v2", 1, 1);
        assertThatThrownBy(() -> step(new int[] {token(0, 0)}, PROMPT)).hasMessageContaining("cuStreamBeginCapture failed");
        assertThat(decode(SEQUENCES)[0][0]).isEqualTo(expected[0][0]);
    }

    /** Logits [steps][sequences][vocabulary] of sequences that are told what to say. */
    private float[][][] decode(int sequences) {
        for (int s = 0; s < sequences; s++) {
            prefill(s);
        }
        return IntStream.range(0, STEPS)
                .mapToObj(i -> step(IntStream.range(0, sequences).map(s -> token(s, i)).toArray(), PROMPT + i))
                .toArray(float[][][]::new);
    }

    private float[][] step(int[] tokens, int position) {
        int count = tokens.length;
        int[] positions = new int[count];
        Arrays.fill(positions, position);
        Batch batch = new Batch(
                tokens, positions, IntStream.rangeClosed(0, count).toArray(),
                IntStream.range(0, count).mapToObj(CudaStepsTest::table).toArray(int[][]::new), IntStream.range(0, count).toArray());
        return read(decoder.forward(batch, cache), count);
    }

    private float[] prefill(int sequence) {
        int[] prompt = prompt(sequence);
        Batch batch = new Batch(
                prompt, IntStream.range(0, PROMPT).toArray(), new int[] {0, PROMPT}, new int[][] {table(sequence)}, new int[] {PROMPT - 1});
        return read(decoder.forward(batch, cache), 1)[0];
    }

    /** The last token of the prompt alone, over what the cache holds of the others. */
    private float[] prefillAgain(int sequence) {
        Batch batch = new Batch(
                new int[] {prompt(sequence)[PROMPT - 1]}, new int[] {PROMPT - 1}, new int[] {0, 1}, new int[][] {table(sequence)},
                new int[] {0});
        return read(decoder.forward(batch, cache), 1)[0];
    }

    private float[][] read(Tensor logits, int rows) {
        float[][] out = new float[rows][decoder.vocabulary()];
        for (int row = 0; row < rows; row++) {
            backend.read(logits, row, out[row]);
        }
        return out;
    }

    private static int[] table(int sequence) {
        return new int[] {2 * sequence, 2 * sequence + 1};
    }

    private static int[] prompt(int sequence) {
        return IntStream.range(0, PROMPT).map(i -> 17 * sequence + 5 * i + 1).toArray();
    }

    private static int token(int sequence, int step) {
        return 40 * step + 7 * sequence + 3;
    }

    private Dispatch oneByOne() {
        return new Dispatch() {
            @Override
            public void run(KernelCall call) {
                call.run(backend.defaultVariant(call.site(), call.tokens()));
            }

            @Override
            public boolean timesCalls() {
                return true;
            }
        };
    }
}
