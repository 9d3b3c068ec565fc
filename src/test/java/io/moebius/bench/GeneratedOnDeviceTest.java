package io.moebius.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.cuda.EmulatedDriver;
import io.moebius.checkpoint.ChangedLayers;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.model.SequenceLogits;
import io.moebius.model.Transformer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Generated models on a device, which makes their weights from a copy of the random numbers; over the emulated driver. */
class GeneratedOnDeviceTest {

    private static final int LAYERS = 6;
    private static final Shape SHAPE = new Shape(64, LAYERS, 4, 2, 96, 4, 2, 300, 512);
    /** Of matrices, in bfloat16: for each deviation one. */
    private static final int RUNS = 4;
    private static final int[] PROMPT = {1, 5, 9, 30, 77};
    private static final String UPLOAD = "cuMemcpyHtoDAsync_v2";

    @ParameterizedTest
    @EnumSource(Layout.class)
    void areTheModelsThatTheHostWouldUpload(Layout layout) {
        Checkpoint generated = new GeneratedCheckpoint(SHAPE, layout, 1);
        float[][] logits = logits(generated);
        assertThat(logits).isDeepEqualTo(logits(ofTheirOwn(generated)));
        for (float[] row : logits) {
            assertThat(row).doesNotContain(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);
            assertThat(row[0]).isNotEqualTo(row[1]);
        }
    }

    @ParameterizedTest
    @EnumSource(Layout.class)
    void areUploadedAsFewRunsHoweverManyMatricesTheyHave(Layout layout) {
        Checkpoint generated = new GeneratedCheckpoint(SHAPE, layout, 1);
        int matrices = LAYERS * (4 + 3 * SHAPE.experts());
        assertThat(uploads(ofTheirOwn(generated)) - uploads(generated)).isBetween(matrices - RUNS, matrices);
    }

    private static float[][] logits(Checkpoint checkpoint) {
        try (Backend backend = EmulatedDriver.backend(Activations.EIGHT_BIT)) {
            return new SequenceLogits(load(checkpoint, backend), PROMPT.length).of(PROMPT);
        }
    }

    private static int uploads(Checkpoint checkpoint) {
        int before = EmulatedDriver.calls(UPLOAD);
        try (Backend backend = EmulatedDriver.backend(Activations.EIGHT_BIT)) {
            load(checkpoint, backend);
        }
        return EmulatedDriver.calls(UPLOAD) - before;
    }

    private static Transformer load(Checkpoint checkpoint, Backend backend) {
        return Transformer.load(checkpoint, backend, PROMPT.length, PROMPT.length, fraction -> {});
    }

    /** The same weights without a word of what they share. */
    private static Checkpoint ofTheirOwn(Checkpoint generated) {
        return new ChangedLayers(generated, (name, weight) -> weight.within(null));
    }
}
