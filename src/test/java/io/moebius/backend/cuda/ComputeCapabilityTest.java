package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.bench.GeneratedCheckpoint;
import io.moebius.bench.Layout;
import io.moebius.bench.Shape;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a GPU's compute capability decides: which kernels a model's steps launch there, and how they follow each other. */
class ComputeCapabilityTest {

    private static final int PROMPT = 20;
    private static final Shape SHAPE = new Shape(256, 1, 4, 2, 128, 4, 2, 300, 512);
    private static final List<String> HOPPERS = KernelTable.read().entries().stream()
            .filter(KernelTable.Entry::hopper)
            .map(KernelTable.Entry::kernel)
            .toList();

    @ParameterizedTest
    @EnumSource(Activations.class)
    void hopperTakesItsOwnKernelsForAttentionAndForProductsOfCodes(Activations activations) {
        List<String> own = kernels(90, activations).filter(HOPPERS::contains).toList();
        assertThat(own).anyMatch(kernel -> kernel.startsWith("moebius_hopper_decode"))
                .anyMatch(kernel -> kernel.startsWith("moebius_hopper_prefill"));
        assertThat(own.stream().anyMatch(kernel -> kernel.startsWith("moebius_fp8"))).isEqualTo(activations == Activations.EIGHT_BIT);
    }

    @ParameterizedTest
    @ValueSource(ints = {89, 100, 103, 110, 120, 121})
    void othersTakeNoKernelOfHoppers(int capability) {
        for (Activations activations : Activations.values()) {
            assertThat(kernels(capability, activations)).isNotEmpty().doesNotContainAnyElementsOf(HOPPERS);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {90, 100, 103, 120, 121})
    void kernelsStartBeforeTheOneBeforeHasEndedWhereTheirImageWaitsForIt(int capability) {
        assertThat(launches(capability, Activations.EIGHT_BIT).filter(call -> !call.startsWith("launch moebius_pack_weights")))
                .isNotEmpty().allMatch(call -> call.endsWith(", overlapped"));
    }

    @ParameterizedTest
    @ValueSource(ints = {89, 110})
    void noneDoesWhereTheImageHasNoWait(int capability) {
        assertThat(launches(capability, Activations.EIGHT_BIT)).isNotEmpty().noneMatch(call -> call.endsWith(", overlapped"));
    }

    private static Stream<String> kernels(int capability, Activations activations) {
        return launches(capability, activations).map(call -> call.substring("launch ".length(), call.indexOf(',')));
    }

    /** Of loading a model, reading a prompt and decoding after it. */
    private static Stream<String> launches(int capability, Activations activations) {
        RecordingDriver driver = new RecordingDriver(1L << 40, capability);
        CudaBackend backend = new CudaBackend(activations, driver, new byte[0], "recorded");
        Decoder decoder =
                Transformer.load(new GeneratedCheckpoint(SHAPE, Layout.AUTOFP8, 1), backend, PROMPT, 1, fraction -> {});
        KvCache cache = backend.kvCache(decoder.kvShape(), 2);
        decoder.forward(batch(0, PROMPT), cache);
        decoder.forward(batch(PROMPT, 1), cache);
        return driver.calls.stream().filter(call -> call.startsWith("launch "));
    }

    private static Batch batch(int position, int tokens) {
        return new Batch(
                new int[tokens], IntStream.range(position, position + tokens).toArray(), new int[] {0, tokens}, new int[][] {{0, 1}},
                new int[] {tokens - 1});
    }
}
