package io.moebius.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.Experts;
import io.moebius.backend.InStep;
import io.moebius.backend.KernelCase;
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;
import io.moebius.backend.Matrix;
import io.moebius.backend.RandomWeights;
import io.moebius.backend.Rope;
import io.moebius.backend.Routing;
import io.moebius.backend.Scales;
import io.moebius.backend.Tensor;
import io.moebius.backend.Weight;
import io.moebius.backend.reference.ReferenceBackend;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every kernel of every instruction set against the reference, on random numbers and awkward shapes. */
class CpuBackendTest {

    /** Of inputs as sums of two bfloat16. */
    private static final float SPLIT_ERROR = 0x1p-17f;

    private final RandomWeights random = new RandomWeights(5);

    private static void assume(InstructionSet set) {
        assumeTrue(set.supported(), "this processor has no " + set);
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void agreesWithTheReference(InstructionSet set) {
        assume(set);
        KernelCase.all().forEach(each -> {
            float[][] expected = each.run(new ReferenceBackend(each.activations()));
            for (int threads : new int[] {1, 3}) {
                String name = "%s, %d threads".formatted(each.name(), threads);
                compare(name, expected, each.run(new CpuBackend(each.activations(), set, threads)), 2e-4f + each.slack());
            }
        });
    }

    /** Which is another way of computing them where there is a matrix unit. */
    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void agreesWithTheReferenceOnTokensOfPrompts(InstructionSet set) {
        assume(set);
        KernelCase.all().forEach(each -> {
            float[][] expected = each.run(new ReferenceBackend(each.activations()));
            KernelCase inPrompt = new KernelCase(
                    each.name(), each.activations(), each.rows(), each.columns(), each.width(), each.slack(), backend -> {
                        KernelCase.Operation operation = each.setup().on(backend);
                        return (x, out) -> InStep.run(backend, each.rows(), each.rows(), () -> operation.run(x, out));
                    });
            compare(each.name(), expected, inPrompt.run(new CpuBackend(each.activations(), set, 3)), 2e-4f + each.slack());
        });
    }

    @Test
    void smallerStorageTakesLessRoom() {
        try (Backend backend = new CpuBackend(Activations.SIXTEEN_BIT)) {
            KvCache.Shape shape = new KvCache.Shape(2, 3, 8);
            long bf16 = backend.kvBlockBytes(shape.stored(new KvStorage.BFloat16()));
            assertThat(backend.kvBlockBytes(shape)).isEqualTo(2 * bf16);
            assertThat(backend.kvBlockBytes(shape.stored(new KvStorage.Fp8(List.of(1f, 1f), List.of(1f, 1f))))).isEqualTo(bf16 / 2);
        }
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void addsBiasesAndGates(InstructionSet set) {
        assume(set);
        Weight bias = random.plain(DType.BF16, 1, 172);
        KernelCase gated = new KernelCase("a bias and a gate", Activations.SIXTEEN_BIT, 9, 172, 172, 0, backend -> (x, out) -> {
            backend.gather(x, IntStream.range(0, 9).toArray(), out);
            backend.addBias(out, backend.load(bias));
            backend.swiGlu(out, x);
        });
        float[][] expected = gated.run(new ReferenceBackend(Activations.SIXTEEN_BIT));
        compare(gated.name(), expected, gated.run(new CpuBackend(Activations.SIXTEEN_BIT, set, 3)), 2e-4f);
    }

    /** Of one to 512 rows, of prompts and generated ones, and in every layout of scales, with inputs as they are and quantised. */
    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void aRowsBitsDoNotDependOnTheOthers(InstructionSet set) {
        assume(set);
        int hidden = 100;
        Weight router = random.plain(DType.F32, 8, hidden);
        List<Weight> in = random.experts(8, 60, hidden, new ActivationQuantization.None());
        List<Weight> out = random.experts(8, hidden, 60, new ActivationQuantization.None());
        float[] inputs = random.floats(512 * hidden);
        List<Weight> weights = new ArrayList<>(List.of(random.plain(DType.BF16, 50, hidden)));
        for (Scales scales : List.of(
                Scales.perTensor(0.003f, 50, hidden), Scales.perRow(random.floats(50), hidden), new Scales(random.floats(4), 32, 64),
                new Scales(random.floats(8), 16, 50))) {
            weights.add(random.weight(DType.E4M3, 50, hidden, scales, new ActivationQuantization.None()));
            weights.add(random.weight(DType.E4M3, 50, hidden, scales, new ActivationQuantization.PerToken()));
            weights.add(random.weight(DType.E4M3, 50, hidden, scales, new ActivationQuantization.PerGroup(64)));
        }
        for (Weight weight : weights) {
            float[][] generated = rows(set, 2, 512, 0, inputs, weight, router, in, out);
            float[][] prompt = rows(set, 2, 512, 512, inputs, weight, router, in, out);
            for (int rows : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 63, 64, 257}) {
                assertThat(rows(set, 1, rows, 0, inputs, weight, router, in, out)).isDeepEqualTo(Arrays.copyOf(generated, rows));
                assertThat(rows(set, 1, rows, rows, inputs, weight, router, in, out)).isDeepEqualTo(Arrays.copyOf(prompt, rows));
            }
            float[][] mixed = rows(set, 1, 77, 41, inputs, weight, router, in, out);
            assertThat(Arrays.copyOf(mixed, 41)).isDeepEqualTo(Arrays.copyOf(prompt, 41));
            assertThat(Arrays.copyOfRange(mixed, 41, 77)).isDeepEqualTo(Arrays.copyOfRange(generated, 41, 77));
        }
    }

    private static float[][] rows(
            InstructionSet set, int threads, int rows, int prompt, float[] inputs, Weight weight, Weight router, List<Weight> in, List<Weight> out) {
        int hidden = weight.columns();
        try (Backend backend = new CpuBackend(Activations.EIGHT_BIT, set, threads)) {
            Tensor x = RandomWeights.fill(backend, inputs, rows, hidden);
            Tensor projected = backend.tensor(rows, weight.rows());
            Routing routing = backend.routing(rows, 2);
            InStep.run(backend, rows, prompt, () -> {
                backend.project(x, backend.load(weight), projected);
                backend.route(x, backend.load(router), routing);
                backend.experts(x, routing, new Experts(load(backend, in), load(backend, in), load(backend, out)), x);
            });
            float[][] results = new float[rows][];
            for (int t = 0; t < rows; t++) {
                float[] both = new float[hidden + weight.rows()];
                backend.read(x, t, both);
                float[] second = new float[weight.rows()];
                backend.read(projected, t, second);
                System.arraycopy(second, 0, both, hidden, second.length);
                results[t] = both;
            }
            return results;
        }
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void aPromptsBitsDoNotDependOnHowItWasCut(InstructionSet set) {
        assume(set);
        float[][] whole = attended(set, 3, List.of(70));
        assertThat(attended(set, 1, List.of(1, 15, 16, 20, 18))).isDeepEqualTo(whole);
        assertThat(attended(set, 2, List.of(33, 37))).isDeepEqualTo(whole);
    }

    /** Attention of 70 tokens of one sequence, given in chunks. */
    private static float[][] attended(InstructionSet set, int threads, List<Integer> chunks) {
        int width = 3 * 2 * 20;
        Random numbers = new Random(9);
        float[] inputs = new float[70 * width];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = (float) numbers.nextGaussian();
        }
        try (Backend backend = new CpuBackend(Activations.SIXTEEN_BIT, set, threads)) {
            KvCache cache = backend.kvCache(new KvCache.Shape(1, 3, 20), 5);
            float[][] results = new float[70][width];
            int begin = 0;
            for (int count : chunks) {
                int first = begin;
                Tensor query = RandomWeights.fill(backend, Arrays.copyOfRange(inputs, begin * width, (begin + count) * width), count, width);
                Tensor key = RandomWeights.fill(backend, Arrays.copyOfRange(inputs, begin * width, (begin + count) * width), 2 * count, width / 2);
                Tensor halves = backend.tensor(count, width / 2);
                backend.gather(key, IntStream.range(0, count).map(i -> 2 * i).toArray(), halves);
                Batch batch = new Batch(
                        new int[count], IntStream.range(0, count).map(i -> first + i).toArray(), new int[] {0, count},
                        new int[][] {{4, 0, 2, 3, 1}}, new int[0]);
                backend.ropeAndStore(batch, Rope.of(20, 1e4), query, halves, halves, cache, 0);
                Tensor out = backend.tensor(count, width);
                backend.attend(batch, query, cache, 0, out);
                for (int t = 0; t < count; t++) {
                    backend.read(out, t, results[begin + t]);
                }
                begin += count;
            }
            return results;
        }
    }

    @Test
    void keepsWhatWasLoadedOnlyWhereRowsAreLookedUp() {
        try (Backend backend = new CpuBackend(Activations.SIXTEEN_BIT, InstructionSet.BASELINE, 1)) {
            Matrix packed = backend.load(random.plain(DType.BF16, 16, 16));
            assertThat(((CpuMatrix) packed).weight().data()).isNull();
            assertThat(((CpuMatrix) backend.loadTable(random.plain(DType.BF16, 16, 16))).weight().data()).isNotNull();
            assertThat(((CpuMatrix) backend.load(random.plain(DType.F32, 16, 16))).weight().data()).isNotNull();
            Batch token = new Batch(new int[] {1}, new int[1], new int[] {0, 1}, new int[][] {{0}}, new int[0]);
            assertThatThrownBy(() -> backend.embed(token, packed, backend.tensor(1, 16))).hasMessageContaining("is no table");
        }
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void givesTheSameBitsBeforeAndAfterAMappedWeightIsRepacked(InstructionSet set, @TempDir Path folder) throws IOException {
        assume(set);
        List<Weight> weights = List.of(
                random.weight(DType.E4M3, 100, 172, new Scales(random.floats(100), 1, 172), new ActivationQuantization.None()),
                random.weight(DType.E4M3, 100, 172, new Scales(random.floats(14), 16, 100), new ActivationQuantization.PerToken(Float.POSITIVE_INFINITY)),
                random.plain(DType.BF16, 33, 172));
        for (Weight weight : weights) {
            for (int rows : new int[] {1, 3, 50}) {
                try (CpuBackend backend = new CpuBackend(Activations.EIGHT_BIT, set, 2)) {
                    Matrix repacked = backend.load(weight);
                    Matrix later = backend.load(mapped(weight, folder));
                    assertThat(backend.bytesToCome()).isPositive();
                    Tensor x = RandomWeights.fill(backend, random.floats(rows * 172), rows, 172);
                    float[][] before = project(backend, x, later);
                    backend.settle();
                    assertThat(backend.bytesToCome()).isZero();
                    float[][] expected = project(backend, x, repacked);
                    assertThat(before).as("%d rows through %s before", rows, weight.format()).isDeepEqualTo(expected);
                    assertThat(project(backend, x, later)).as("%d rows through %s after", rows, weight.format()).isDeepEqualTo(expected);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void givesNoNumberWhereACodeIsNone(InstructionSet set, @TempDir Path folder) throws IOException {
        assume(set);
        Weight weight = random.weight(DType.E4M3, 20, 300, new Scales(random.floats(3), 20, 128), new ActivationQuantization.None());
        weight.data().set(ValueLayout.JAVA_BYTE, 3 * 300 + 299, (byte) 0xff);
        try (CpuBackend backend = new CpuBackend(Activations.SIXTEEN_BIT, set, 2)) {
            Matrix later = backend.load(mapped(weight, folder));
            for (int rows : new int[] {1, 3, 50, 1, 3, 50}) {
                Tensor x = RandomWeights.fill(backend, random.floats(rows * 300), rows, 300);
                if (rows == 50) {
                    backend.settle();
                }
                for (float[] row : project(backend, x, later)) {
                    for (int n = 0; n < row.length; n++) {
                        assertThat(Float.isNaN(row[n])).as("element %d", n).isEqualTo(n == 3);
                    }
                }
            }
        }
    }

    @Test
    void closesBeforeAndWhileItRepacks(@TempDir Path folder) throws IOException {
        CpuBackend unused = new CpuBackend(Activations.SIXTEEN_BIT);
        unused.load(mapped(random.plain(DType.BF16, 16, 16), folder));
        assertThat(unused.bytesToCome()).isPositive();
        unused.close();
        CpuBackend backend = new CpuBackend(Activations.SIXTEEN_BIT);
        Matrix large = backend.load(mapped(Weight.plain("large", DType.BF16, 4096, 4096, Arena.ofAuto().allocate(4096L * 4096 * 2)), folder));
        project(backend, backend.tensor(1, 4096), large);
        backend.close();
        assertThatThrownBy(backend::bytesToCome).hasMessage("this backend is closed");
    }

    private static float[][] project(Backend backend, Tensor x, Matrix weight) {
        Tensor out = backend.tensor(x.rows(), weight.rows());
        backend.project(x, weight, out);
        float[][] rows = new float[x.rows()][weight.rows()];
        for (int t = 0; t < rows.length; t++) {
            backend.read(out, t, rows[t]);
        }
        return rows;
    }

    /** The same weight in a mapped file. */
    private static Weight mapped(Weight weight, Path folder) throws IOException {
        Path file = Files.createTempFile(folder, "weight", ".bin");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.READ)) {
            channel.write(weight.data().asByteBuffer());
            MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, 0, weight.bytes(), Arena.ofAuto());
            return new Weight(weight.name(), weight.dtype(), weight.rows(), weight.columns(), data, weight.scales(), weight.activation());
        }
    }

    @Test
    void refusesIndicesThatAreNoneOfItsMemory() {
        try (Backend backend = new CpuBackend(Activations.SIXTEEN_BIT)) {
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
        Backend backend = new CpuBackend(Activations.SIXTEEN_BIT);
        Matrix weight = backend.load(random.plain(DType.F32, 10, 16));
        Tensor x = backend.tensor(1, 16);
        Tensor out = backend.tensor(1, 10);
        backend.close();
        assertThatThrownBy(() -> backend.project(x, weight, out)).hasMessage("this backend is closed");
        assertThatThrownBy(() -> backend.read(x, 0, new float[16])).hasMessage("this backend is closed");
        assertThatThrownBy(() -> backend.tensor(1, 1)).hasMessage("this backend is closed");
    }

    @Test
    void refusesMatricesWhoseScalesDoNotCoverThem() {
        try (Backend backend = new CpuBackend(Activations.SIXTEEN_BIT)) {
            Scales tooFew = new Scales(new float[3], 16, 16);
            Weight uncovered = random.weight(DType.E4M3, 32, 32, tooFew, new ActivationQuantization.None());
            assertThatThrownBy(() -> backend.load(uncovered))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("has 3 scales, needs 4");
            Weight bare = random.weight(DType.E4M3, 32, 32, null, new ActivationQuantization.None());
            assertThatThrownBy(() -> backend.load(bare)).hasMessageContaining("without usable scales");
        }
    }

    private static void compare(String what, float[][] expected, float[][] actual, float tolerance) {
        for (int t = 0; t < expected.length; t++) {
            float allowed = tolerance + SPLIT_ERROR * largest(expected[t]);
            for (int c = 0; c < expected[t].length; c++) {
                assertThat(actual[t][c]).as("%s: row %d, column %d", what, t, c).isCloseTo(expected[t][c], within(allowed));
            }
        }
    }

    private static float largest(float[] row) {
        float largest = 0;
        for (float value : row) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static List<Matrix> load(Backend backend, List<Weight> weights) {
        return weights.stream().map(backend::load).toList();
    }
}
