package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.Activations;
import io.moebius.backend.DType;
import io.moebius.backend.Weight;
import io.moebius.checkpoint.ChangedLayers;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.model.SequenceLogits;
import io.moebius.model.Transformer;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Whether a model fits into what other programs have left of a GPU's memory. */
class ModelRoomTest {

    private static final Checkpoint MODEL = Checkpoint.open(Path.of("src/test/resources/fixtures/m-friendli-fp8"));
    private static final long MEBIBYTE = 1 << 20;

    @Test
    void aModelThatIsLargerIsRefusedBeforeAnythingIsAllocated() {
        RecordingDriver driver = new RecordingDriver(new Reserve().bytes());
        CudaBackend backend = new CudaBackend(Activations.EIGHT_BIT, driver, new byte[0], "recorded");
        assertThatThrownBy(() -> load(backend))
                .isInstanceOf(OutOfMemoryError.class)
                .hasMessage("the weights need %d MiB at least, 0 MiB of the device's memory are free for them: stop what else uses it, or take a larger device"
                        .formatted(Math.ceilDiv(MODEL.leastBytes(), MEBIBYTE)));
        assertThat(driver.calls).isEmpty();
    }

    @Test
    void aModelIsLoadedIntoWhatIsLeftBesideTheRoomThatStepsNeed() {
        RecordingDriver driver = new RecordingDriver(new Reserve().bytes() + MODEL.leastBytes());
        load(new CudaBackend(Activations.EIGHT_BIT, driver, new byte[0], "recorded"));
        assertThat(driver.calls).isNotEmpty();
    }

    @Test
    void whatGatesAndUpsOfTwoFormatsNeedIsThereBeforeTheCacheIsPlanned() {
        RecordingDriver driver = new RecordingDriver();
        Checkpoint mixed = new ChangedLayers(MODEL, (name, weight) -> name.endsWith("up_proj") ? zeros(weight) : weight);
        Transformer decoder = load(mixed, new CudaBackend(Activations.EIGHT_BIT, driver, new byte[0], "recorded"));
        long loaded = packed(driver);
        new SequenceLogits(decoder, 4).of(1, 2, 3);
        assertThat(packed(driver)).isEqualTo(loaded);
    }

    private static Weight zeros(Weight weight) {
        return Weight.plain(
                weight.name(), DType.BF16, weight.rows(), weight.columns(),
                Arena.ofAuto().allocate((long) Short.BYTES * weight.rows() * weight.columns()));
    }

    private static long packed(RecordingDriver driver) {
        return driver.calls.stream().filter(call -> call.startsWith("launch moebius_pack_weights")).count();
    }

    private static Transformer load(CudaBackend backend) {
        return load(MODEL, backend);
    }

    private static Transformer load(Checkpoint model, CudaBackend backend) {
        return Transformer.load(model, backend, 32, 4, fraction -> {});
    }
}
