package io.moebius.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.DeviceLostException;
import io.moebius.backend.Experts;
import io.moebius.backend.KernelCase;
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;
import io.moebius.backend.Matrix;
import io.moebius.backend.RandomWeights;
import io.moebius.backend.Roofline;
import io.moebius.backend.Rope;
import io.moebius.backend.Site;
import io.moebius.backend.Tensor;
import io.moebius.backend.Weight;
import io.moebius.backend.reference.ReferenceBackend;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The host's way to every kernel, over the emulated driver, against the reference. */
class CudaBackendTest {

    /** Inputs of products and results of attention and gates are bf16: each rounding moves by 0.4 %, sums of them less. */
    private static final float BF16_ERROR = 0.015f;

    private static final int CUDA_ERROR_OUT_OF_MEMORY = 2;
    private static final int CUDA_ERROR_ILLEGAL_ADDRESS = 700;

    private final RandomWeights random = new RandomWeights(7);

    static Stream<KernelCase> cases() {
        return KernelCase.all();
    }

    @AfterEach
    void mend() {
        EmulatedDriver.mend();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithTheReference(KernelCase each) {
        float[][] expected = each.run(new ReferenceBackend(each.activations()));
        float[][] actual = each.run(EmulatedDriver.backend(each.activations()));
        for (int t = 0; t < each.rows(); t++) {
            float largest = 0;
            for (float value : expected[t]) {
                largest = Math.max(largest, Math.abs(value));
            }
            float allowed = BF16_ERROR * largest + 2 * each.slack() + 1e-6f;
            for (int c = 0; c < each.width(); c++) {
                assertThat(actual[t][c]).as("row %d, column %d", t, c).isCloseTo(expected[t][c], within(allowed));
            }
        }
    }

    @Test
    void queryKeyAndValueAreOneProduct() {
        CudaBackend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT);
        KernelCase each = KernelCase.all().filter(one -> one.name().equals("query, key and value, a scale per 64 rows")).findFirst().orElseThrow();
        each.run(backend);
        Site site = new Site("project", "256 x 100 e4m3, a scale per 64 x 128, bf16 inputs, query, key and value");
        assertThat(backend.variants(site, 7)).isNotEmpty();
    }

    @Test
    void refusesIndicesThatAreNoneOfItsMemory() {
        try (Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT)) {
            Matrix table = backend.load(random.plain(DType.F32, 10, 16));
            Batch badToken = new Batch(new int[] {10}, new int[1], new int[] {0, 1}, new int[][] {{0}}, new int[0]);
            assertThatThrownBy(() -> backend.embed(badToken, table, backend.tensor(1, 16)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("token 10 of 10");
            KvCache cache = backend.kvCache(new KvCache.Shape(1, 1, 16), 2);
            Batch badBlock = new Batch(new int[1], new int[1], new int[] {0, 1}, new int[][] {{2}}, new int[0]);
            Tensor x = backend.tensor(1, 16);
            assertThatThrownBy(() -> backend.ropeAndStore(badBlock, Rope.of(16, 1e4), x, x, x, cache, 0))
                    .hasMessageContaining("cache block 2 of 2");
            assertThatThrownBy(() -> backend.gather(x, new int[] {-1}, x)).hasMessageContaining("row -1");
            assertThatThrownBy(() -> backend.project(x, table, x)).hasMessageContaining("expected [1, 10]");
        }
    }

    @Test
    void refusesEveryCallAfterClose() {
        Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT);
        Matrix weight = backend.load(random.plain(DType.F32, 10, 16));
        Tensor x = backend.tensor(1, 16);
        Tensor out = backend.tensor(1, 10);
        backend.close();
        assertThatThrownBy(() -> backend.project(x, weight, out)).hasMessage("this backend is closed");
        assertThatThrownBy(() -> backend.read(x, 0, new float[16])).hasMessage("this backend is closed");
        assertThatThrownBy(() -> backend.tensor(1, 1)).hasMessage("this backend is closed");
    }

    @Test
    void refusesExpertsThatWereNotLoadedTogether() {
        try (Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT)) {
            List<Matrix> matrices = random.experts(2, 16, 16, new ActivationQuantization.None()).stream()
                    .map(backend::load)
                    .toList();
            Tensor x = backend.tensor(1, 16);
            assertThatThrownBy(() -> backend.experts(
                            x, backend.routing(1, 1), new Experts(matrices, matrices, matrices), x))
                    .hasMessageContaining("experts must be loaded together");
        }
    }

    @Test
    void anE4m3CacheTakesHalfTheRoom() {
        try (Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT)) {
            KvCache.Shape shape = new KvCache.Shape(2, 3, 128);
            assertThat(backend.kvBlockBytes(shape)).isEqualTo(2 * 2 * 3 * 128 * 16 * 2);
            assertThat(backend.kvBlockBytes(shape.stored(new KvStorage.Fp8(List.of(1f, 1f), List.of(1f, 1f)))))
                    .isEqualTo(backend.kvBlockBytes(shape) / 2);
        }
    }

    @Test
    void freesAllThatItAllocated() {
        try (LibraryDriver driver = EmulatedDriver.open()) {
            long before = driver.freeBytes();
            KernelCase.all().filter(each -> each.name().startsWith("experts")).forEach(each ->
                    each.run(EmulatedDriver.backend(each.activations())));
            assertThat(driver.freeBytes()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @CsvSource({"EIGHT_BIT, wgmma m64n128k32 e4m3", "SIXTEEN_BIT, wgmma m64n128k16 bf16"})
    void measuresWhatTheDeviceDoesAtMostAndLeavesNoMemoryBehind(Activations activations, String instruction) {
        try (Backend backend = EmulatedDriver.backend(activations)) {
            long before = backend.freeBytes().orElseThrow();
            Roofline roofline = backend.roofline().orElseThrow();
            assertThat(roofline.readBytesPerSecond()).isBetween(1e3, 1e12);
            assertThat(roofline.flopsPerSecond()).isBetween(1e3, 1e12);
            assertThat(roofline.instruction()).isEqualTo(instruction);
            assertThat(backend.freeBytes()).hasValue(before);
        }
    }

    @Test
    void keepsRoomForTablesThatAreLookedUpLater() {
        try (Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT); Arena arena = Arena.ofConfined()) {
            long before = backend.freeBytes().orElseThrow();
            backend.loadTable(Weight.plain("embedding", DType.BF16, 1000, 64, arena.allocate(2 * 1000 * 64, 64)));
            assertThat(backend.freeBytes().orElseThrow()).isLessThanOrEqualTo(before - 2 * 1000 * 64);
        }
    }

    @Test
    void keepsNoScalesThatPackingFoldsIn() {
        try (Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT)) {
            long before = backend.freeBytes().orElseThrow();
            backend.load(new RandomWeights(5).plain(DType.INT4, 1024, 256));
            assertThat(before - backend.freeBytes().orElseThrow()).isBetween(2L * 1024 * 256, 2L * 1024 * 256 + 4096);
        }
    }

    @Test
    void makesCopiesOfGatesAndUpsOfTwoFormatsBeforeAnyStep() {
        try (Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT)) {
            Matrix gate = backend.load(random.plain(DType.E4M3, 1024, 256));
            Matrix up = backend.load(random.plain(DType.F16, 1024, 256));
            long copies = 2 * 2 * 1024 * 256;
            long loaded = backend.freeBytes().orElseThrow();
            backend.prepareGates(List.of(gate), List.of(up));
            assertThat(backend.freeBytes().orElseThrow()).isLessThanOrEqualTo(loaded - copies);
        }
    }

    @Test
    void saysHowMuchMemoryIsMissing() {
        try (Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT)) {
            EmulatedDriver.orderFailure("cuMemAlloc_v2", 1, CUDA_ERROR_OUT_OF_MEMORY);
            assertThatThrownBy(() -> backend.kvCache(new KvCache.Shape(1, 1, 16), 1000))
                    .isInstanceOf(OutOfMemoryError.class)
                    .hasMessageStartingWith("no 512512 bytes of GPU memory; ");
        }
    }

    @Test
    void aDeviceThatIsLostInAKernelIsToldFromARefusedCall() {
        Backend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT);
        Tensor x = RandomWeights.fill(backend, random.floats(32), 2, 16);
        EmulatedDriver.orderFailure("cuStreamSynchronize", 1, CUDA_ERROR_ILLEGAL_ADDRESS);
        assertThatThrownBy(() -> backend.read(x, 0, new float[16]))
                .isInstanceOf(DeviceLostException.class)
                .hasMessage("cuStreamSynchronize failed with CUDA_ERROR_ILLEGAL_ADDRESS at moebius_embed_tokens, inputs");
        assertThatThrownBy(() -> backend.read(x, 0, new float[16])).isInstanceOf(DeviceLostException.class);
    }
}
