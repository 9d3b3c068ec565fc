package io.moebius.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.cuda.EmulatedDriver;
import io.moebius.backend.reference.ReferenceBackend;
import io.moebius.bench.GeneratedCheckpoint;
import io.moebius.bench.Layout;
import io.moebius.bench.Shape;
import io.moebius.checkpoint.Checkpoint;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole models with larger heads, more heads over one key head, more experts and more of them chosen than kernels' fast paths take. */
class UncommonShapesTest {

    private static final int[] PROMPT = {1, 5, 9, 30};
    private static final int CONTINUATION = 4;
    private static final int POSITIONS = 16;

    /** In parts of the logits' root mean square: bf16 between kernels moves them by 1 to 4 %, a wrong index by 100 %. */
    private static final double BF16_ERROR = 0.06;

    private static final double FLOAT_ERROR = 1e-3;

    static Stream<Shape> shapes() {
        return Stream.of(
                new Shape(640, 2, 2, 1, 40, 4, 2, 300, POSITIONS),
                new Shape(384, 2, 192, 1, 40, 4, 2, 300, POSITIONS),
                new Shape(64, 1, 4, 2, 40, 300, 33, 300, POSITIONS),
                new Shape(64, 1, 4, 2, 24, 513, 40, 300, POSITIONS));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void areServedByBothEngines(Shape shape) {
        Checkpoint checkpoint = new GeneratedCheckpoint(shape, Layout.AUTOFP8, 1);
        float[][] expected = logits(checkpoint, new ReferenceBackend(Activations.SIXTEEN_BIT));
        assertThat(difference(logits(checkpoint, new CpuBackend(Activations.SIXTEEN_BIT)), expected)).isLessThan(FLOAT_ERROR);
        assertThat(difference(logits(checkpoint, EmulatedDriver.backend(Activations.SIXTEEN_BIT)), expected)).isLessThan(BF16_ERROR);
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void giveADecodedTokenTheLogitsOfItsPrompt(Shape shape) {
        Checkpoint checkpoint = new GeneratedCheckpoint(shape, Layout.AUTOFP8, 1);
        try (Backend backend = EmulatedDriver.backend(Activations.EIGHT_BIT)) {
            GreedyDecoding decoding = load(checkpoint, backend);
            int[] decoded = decoding.continuation(PROMPT, CONTINUATION);
            int[] all = IntStream.concat(Arrays.stream(PROMPT), Arrays.stream(decoded)).toArray();
            float[][] prefilled = decoding.prompt(all);
            for (int i = 0; i < CONTINUATION; i++) {
                assertThat(likeliest(prefilled[PROMPT.length - 1 + i])).isEqualTo(decoded[i]);
            }
        }
        assertThat(EmulatedDriver.calls("cuGraphLaunch")).isPositive();
    }

    private static float[][] logits(Checkpoint checkpoint, Backend backend) {
        try (backend) {
            return load(checkpoint, backend).prompt(PROMPT);
        }
    }

    private static GreedyDecoding load(Checkpoint checkpoint, Backend backend) {
        return new GreedyDecoding(Transformer.load(checkpoint, backend, POSITIONS, POSITIONS, fraction -> {}), POSITIONS);
    }

    /** The largest of a row's differences' root mean square, over that of its logits. */
    private static double difference(float[][] actual, float[][] expected) {
        return IntStream.range(0, expected.length).mapToDouble(row -> {
            double squares = 0;
            double errors = 0;
            for (int i = 0; i < expected[row].length; i++) {
                squares += Math.pow(expected[row][i], 2);
                errors += Math.pow(actual[row][i] - expected[row][i], 2);
            }
            return Math.sqrt(errors / squares);
        }).max().orElseThrow();
    }

    private static int likeliest(float[] logits) {
        return IntStream.range(0, logits.length).reduce((a, b) -> logits[b] > logits[a] ? b : a).orElseThrow();
    }
}
