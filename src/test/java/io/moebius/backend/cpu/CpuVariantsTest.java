package io.moebius.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Activations;
import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.Experts;
import io.moebius.backend.InStep;
import io.moebius.backend.KernelCall;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Scales;
import io.moebius.backend.Site;
import io.moebius.backend.Tensor;
import io.moebius.backend.Variant;
import io.moebius.backend.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** All variants of a kernel give the same bits: a policy changes speed, never answers. */
class CpuVariantsTest {

    private static final int HIDDEN = 172;
    private static final int FFN = 100;
    private static final int[] TOKENS = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

    private final Random random = new Random(11);

    /** Runs each call in all variants of its site and holds the results against each other. */
    private void compare(CpuBackend backend, KernelCall call, Tensor out) {
        float[] expected = null;
        float[] before = bits(backend, out);
        for (Variant variant : backend.variants(call.site(), call.tokens())) {
            write(out, before);
            call.run(variant);
            float[] bits = bits(backend, out);
            if (expected == null) {
                expected = bits;
            }
            assertThat(Arrays.equals(bits, expected)).as("%s at %d tokens: %s", call.site(), call.tokens(), variant.name()).isTrue();
        }
    }

    private static float[] bits(CpuBackend backend, Tensor out) {
        float[] all = new float[out.rows() * out.columns()];
        float[] row = new float[out.columns()];
        for (int r = 0; r < out.rows(); r++) {
            backend.read(out, r, row);
            System.arraycopy(row, 0, all, r * row.length, row.length);
        }
        return all;
    }

    private static void write(Tensor tensor, float[] values) {
        MemorySegment.copy(
                MemorySegment.ofArray(values), 0,
                MemorySegment.ofAddress(((CpuTensor) tensor).address()).reinterpret(4L * values.length), 0, 4L * values.length);
    }

    private CpuBackend backend(InstructionSet set) {
        return new CpuBackend(Activations.SIXTEEN_BIT, set, 3);
    }

    @Test
    void everyProjectionGivesTheSameBits() {
        for (InstructionSet set : supported()) {
            try (CpuBackend backend = backend(set)) {
                for (DType type : List.of(DType.E4M3, DType.BF16)) {
                    Matrix matrix = backend.load(weight(type, FFN, HIDDEN));
                    for (int tokens : TOKENS) {
                        Tensor x = filled(backend, tokens, HIDDEN);
                        Tensor out = filled(backend, tokens, FFN);
                        backend.dispatch(call -> compare(backend, call, out));
                        for (int prompt : new int[] {0, tokens / 2, tokens}) {
                            InStep.run(backend, tokens, prompt, () -> backend.projectAdd(x, matrix, out));
                        }
                    }
                }
            }
        }
    }

    @Test
    void everyMixtureGivesTheSameBits() {
        for (InstructionSet set : supported()) {
            try (CpuBackend backend = backend(set)) {
                List<Matrix> in = IntStream.range(0, 4).mapToObj(e -> backend.load(weight(DType.E4M3, FFN, HIDDEN))).toList();
                List<Matrix> up = IntStream.range(0, 4).mapToObj(e -> backend.load(weight(DType.E4M3, FFN, HIDDEN))).toList();
                List<Matrix> down = IntStream.range(0, 4).mapToObj(e -> backend.load(weight(DType.E4M3, HIDDEN, FFN))).toList();
                Matrix router = backend.load(weight(DType.F32, 4, HIDDEN));
                for (int tokens : TOKENS) {
                    Tensor x = filled(backend, tokens, HIDDEN);
                    Tensor out = filled(backend, tokens, HIDDEN);
                    var routing = backend.routing(tokens, 2);
                    backend.route(x, router, routing);
                    backend.dispatch(call -> compare(backend, call, out));
                    for (int prompt : new int[] {0, tokens / 2, tokens}) {
                        InStep.run(backend, tokens, prompt, () -> backend.experts(x, routing, new Experts(in, up, down), out));
                    }
                }
            }
        }
    }

    @Test
    void everyAttentionGivesTheSameBits() {
        try (CpuBackend backend = backend(InstructionSet.best())) {
            KvCache.Shape shape = new KvCache.Shape(1, 2, 8);
            KvCache cache = backend.kvCache(shape, 32);
            for (int tokens : TOKENS) {
                Batch batch = new Batch(
                        new int[tokens], IntStream.range(0, tokens).toArray(), new int[] {0, tokens},
                        new int[][] {IntStream.range(0, 32).toArray()}, new int[] {tokens - 1});
                Tensor out = filled(backend, tokens, 64);
                Tensor query = filled(backend, tokens, 64);
                backend.dispatch(call -> compare(backend, call, out));
                backend.attend(batch, query, cache, 0, out);
            }
        }
    }

    /** Hidden and inner width of an expert; Mixtral 8x7B and a model of a quarter of its sizes. */
    private static final int[][] SHAPES = {{4096, 14336}, {2048, 3584}};

    @TestFactory
    Stream<DynamicTest> everySiteHasEightVariantsAndMoreAtTenTokenCounts() {
        return Arrays.stream(InstructionSet.values()).flatMap(set -> IntStream.of(1, 2, 8, 64).mapToObj(threads ->
                DynamicTest.dynamicTest(set + ", " + threads + " threads", () -> {
                    CpuCatalogue catalogue = new CpuCatalogue(threads, set);
                    for (int[] shape : SHAPES) {
                        sites(catalogue, shape[0], shape[1]).forEach(site -> hasEightVariants(catalogue, site));
                    }
                })));
    }

    private static List<Site> sites(CpuCatalogue catalogue, int hidden, int ffn) {
        return List.of(
                catalogue.project(matrix("layer", hidden, hidden)),
                catalogue.project(matrix("layer", hidden / 4, hidden)),
                catalogue.project(matrix("layer", hidden, ffn)),
                catalogue.project(matrix("lm_head.weight", 32000, hidden)),
                catalogue.experts(matrix("layer", ffn, hidden), 8, 2),
                catalogue.attend(32, new KvCache.Shape(1, 8, 128)));
    }

    @Test
    void attentionOverFourKeyHeadsHasThemToo() {
        CpuCatalogue catalogue = new CpuCatalogue(2, InstructionSet.AVX2);
        hasEightVariants(catalogue, catalogue.attend(32, new KvCache.Shape(1, 4, 128)));
    }

    private static void hasEightVariants(CpuCatalogue catalogue, Site site) {
        for (int tokens : TOKENS) {
            List<Variant> variants = catalogue.variants(site, tokens);
            assertThat(variants).as("%s at %d tokens", site, tokens).hasSizeGreaterThanOrEqualTo(8).doesNotHaveDuplicates();
            assertThat(variants.getFirst()).isEqualTo(catalogue.defaultVariant(site, tokens));
            assertThat(variants).extracting(Variant::name).doesNotHaveDuplicates();
        }
    }

    /** As far as a catalogue looks at it. */
    private static CpuMatrix matrix(String name, int rows, int columns) {
        return new CpuMatrix(0, Weight.plain(name, DType.BF16, rows, columns, null), rows + " x " + columns);
    }

    @Test
    void theHeadIsASiteOfItsOwn() {
        CpuCatalogue catalogue = new CpuCatalogue(2, InstructionSet.AVX2);
        assertThat(List.of("lm_head.weight", "model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight"))
                .extracting(name -> catalogue.project(matrix(name, 64, 64)).kernel())
                .containsExactly("lm_head", "lm_head", "project");
    }

    @Test
    void expertsAreGatedPanelByPanelOrAllAtOnce() {
        CpuCatalogue catalogue = new CpuCatalogue(2, InstructionSet.AVX2);
        Site site = catalogue.experts(matrix("layer", FFN, HIDDEN), 4, 2);
        assertThat(catalogue.variants(site, 8)).extracting(Variant::name)
                .startsWith("threads 1, panel 64, direct 32")
                .contains("threads 2, panel 32, direct 32, fused", "threads 2, panel 64, direct 32, fused");
    }

    @ParameterizedTest
    @CsvSource({"AVX512_BF16, 1, 32", "AVX512_BF16, 8, 16 64", "AVX512_BF16, 64, 32", "AVX512, 64, 16 64", "AVX2, 1, 32", "AVX2, 2, 16 64", "AVX2, 8, 32",
        "BASELINE, 1, 16", "BASELINE, 8, 32"})
    void halfAndTwiceAsManyRowsAreInterleavedWhereRegistersHoldTheirSums(InstructionSet set, int tokens, String expected) {
        CpuCatalogue catalogue = new CpuCatalogue(2, set);
        Site site = catalogue.project(matrix("layer", 2048, 2048));
        assertThat(catalogue.variants(site, tokens).stream()
                        .map(variant -> String.valueOf(((CpuVariant.Product) variant).interleave()))
                        .distinct().sorted().collect(Collectors.joining(" ")))
                .isEqualTo("0 " + expected);
    }

    private static List<InstructionSet> supported() {
        return Arrays.stream(InstructionSet.values()).filter(InstructionSet::supported).toList();
    }

    private Tensor filled(CpuBackend backend, int rows, int columns) {
        Tensor tensor = backend.tensor(rows, columns);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        write(tensor, values);
        return tensor;
    }

    private Weight weight(DType type, int rows, int columns) {
        byte[] bytes = new byte[rows * columns * type.bytes()];
        for (int i = 0; i < bytes.length; i++) {
            // Exponents stay small: no infinities, no NaN.
            bytes[i] = (byte) (random.nextInt() & (i % type.bytes() == type.bytes() - 1 ? 0xbb : 0xff));
        }
        MemorySegment data = Arena.ofAuto().allocate(bytes.length, 64);
        MemorySegment.copy(MemorySegment.ofArray(bytes), 0, data, 0, bytes.length);
        Scales scales = type == DType.E4M3 ? new Scales(floats(rows), 1, columns) : null;
        return new Weight("w", type, rows, columns, data, scales, new ActivationQuantization.None());
    }

    private float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat() / 100;
        }
        return values;
    }
}
