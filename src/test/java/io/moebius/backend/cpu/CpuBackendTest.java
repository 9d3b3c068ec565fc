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
import io.moebius.backend.KvCache;
import io.moebius.backend.KvStorage;
import io.moebius.backend.Matrix;
import io.moebius.backend.Rope;
import io.moebius.backend.Routing;
import io.moebius.backend.Scales;
import io.moebius.backend.Tensor;
import io.moebius.backend.Weight;
import io.moebius.backend.reference.ReferenceBackend;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.api.Test;

/** Every kernel of every instruction set against the reference, on random numbers and awkward shapes. */
class CpuBackendTest {

    /** Of inputs as sums of two bfloat16. */
    private static final float SPLIT_ERROR = 0x1p-17f;

    private final Random random = new Random(5);

    private static void assume(InstructionSet set) {
        assumeTrue(set.supported(), "this processor has no " + set);
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void projectsEveryFormatAndShape(InstructionSet set) {
        assume(set);
        for (int[] shape : new int[][] {{1, 1, 1}, {1, 64, 172}, {3, 172, 64}, {17, 33, 100}, {5, 256, 192}, {64, 7, 512}}) {
            for (DType type : DType.values()) {
                Weight weight = weight(type, shape[1], shape[2], tensorScale(shape[1], shape[2]), new ActivationQuantization.None());
                compare(set, Activations.SIXTEEN_BIT, shape[0], shape[2], shape[1], backend -> project(backend, weight));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void appliesEveryLayoutOfScales(InstructionSet set) {
        assume(set);
        int rows = 200;
        int columns = 192;
        for (Scales scales : List.of(
                tensorScale(rows, columns),
                Scales.perRow(floats(rows), columns),
                new Scales(floats(2 * 2), 128, 128),
                new Scales(floats(13 * 4), 16, 50))) {
            Weight weight = weight(DType.E4M3, rows, columns, scales, new ActivationQuantization.None());
            compare(set, Activations.SIXTEEN_BIT, 3, columns, rows, backend -> project(backend, weight));
        }
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void quantisesInputsAsTheWeightAsks(InstructionSet set) {
        assume(set);
        for (ActivationQuantization scheme : List.of(
                new ActivationQuantization.None(),
                new ActivationQuantization.Static(0.002f),
                new ActivationQuantization.PerToken(),
                new ActivationQuantization.PerGroup(128))) {
            for (Scales scales : List.of(tensorScale(40, 300), new Scales(floats(3), 128, 128))) {
                Weight weight = weight(DType.E4M3, 40, 300, scales, scheme);
                compare(set, Activations.EIGHT_BIT, 4, 300, 40, backend -> project(backend, weight));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void normalisesAndAddsToTheResidual(InstructionSet set) {
        assume(set);
        Weight norm = weight(DType.BF16, 1, 172, null, new ActivationQuantization.None());
        Weight square = weight(DType.E4M3, 172, 172, tensorScale(172, 172), new ActivationQuantization.None());
        compare(set, Activations.SIXTEEN_BIT, 9, 172, 172, backend -> (x, out) -> {
            backend.rmsNorm(x, backend.load(norm), 1e-5, out);
            backend.projectAdd(x, backend.load(square), out);
        });
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void attendsOverPagesOfSeveralSequences(InstructionSet set) {
        assume(set);
        for (int headDim : new int[] {8, 20, 128}) {
            int heads = 6;
            int kvHeads = 2;
            // Three sequences: 20 tokens from the start, one token alone, and 3 tokens.
            int[] lengths = {20, 1, 3};
            int tokens = IntStream.of(lengths).sum();
            Batch batch = new Batch(
                    new int[tokens],
                    IntStream.of(lengths).flatMap(n -> IntStream.range(0, n)).toArray(),
                    new int[] {0, 20, 21, 24},
                    new int[][] {{3, 0}, {4}, {1}},
                    new int[0]);
            Weight key = weight(DType.F32, kvHeads * headDim, heads * headDim, null, new ActivationQuantization.None());
            compare(set, Activations.SIXTEEN_BIT, tokens, heads * headDim, heads * headDim, backend -> (x, out) -> {
                KvCache cache = backend.kvCache(new KvCache.Shape(2, kvHeads, headDim), 5);
                Tensor k = backend.tensor(tokens, kvHeads * headDim);
                Tensor v = backend.tensor(tokens, kvHeads * headDim);
                Matrix matrix = backend.load(key);
                backend.project(x, matrix, k);
                backend.project(x, matrix, v);
                backend.ropeAndStore(batch, new Rope(headDim, 1e4f), x, k, v, cache, 1);
                backend.attend(batch, x, cache, 1, out);
            });
        }
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void attendsWithinAWindow(InstructionSet set) {
        assume(set);
        for (int window : new int[] {1, 5, 16, 30, 100}) {
            compare(set, Activations.SIXTEEN_BIT, 40, 24, 24, 2e-4f, backend -> (x, out) ->
                    attend(backend, new KvCache.Shape(1, 3, 8, window, new KvStorage.Native()), x, out));
        }
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void attendsToRoundedKeysAndValues(InstructionSet set) {
        assume(set);
        KvStorage fp8 = new KvStorage.Fp8(List.of(0.001f), List.of(0.002f));
        // In float32 a number now and then rounds to the other neighbour: half a percent in bf16, 6 % in e4m3.
        compare(set, Activations.SIXTEEN_BIT, 40, 60, 60, 1e-3f, backend -> (x, out) ->
                attend(backend, new KvCache.Shape(1, 3, 20, 0, new KvStorage.BFloat16()), x, out));
        compare(set, Activations.SIXTEEN_BIT, 40, 60, 60, 4e-3f, backend -> (x, out) ->
                attend(backend, new KvCache.Shape(1, 3, 20, 9, fp8), x, out));
    }

    private static void attend(Backend backend, KvCache.Shape shape, Tensor x, Tensor out) {
        int tokens = x.rows();
        Batch batch = new Batch(
                new int[tokens], IntStream.range(0, tokens).toArray(), new int[] {0, tokens}, new int[][] {{2, 0, 3}}, new int[0]);
        Tensor key = backend.tensor(tokens, x.columns());
        Tensor value = backend.tensor(tokens, x.columns());
        backend.gather(x, IntStream.range(0, tokens).toArray(), key);
        backend.gather(x, IntStream.range(0, tokens).toArray(), value);
        KvCache cache = backend.kvCache(shape, 4);
        backend.ropeAndStore(batch, new Rope(shape.headDim(), 1e4f), x, key, value, cache, 0);
        backend.attend(batch, x, cache, 0, out);
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
        Weight bias = weight(DType.BF16, 1, 172, null, new ActivationQuantization.None());
        compare(set, Activations.SIXTEEN_BIT, 9, 172, 172, backend -> (x, out) -> {
            backend.gather(x, IntStream.range(0, 9).toArray(), out);
            backend.addBias(out, backend.load(bias));
            backend.swiGlu(out, x);
        });
    }

    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void mixesRaggedExperts(InstructionSet set) {
        assume(set);
        int hidden = 64;
        int ffn = 172;
        Weight router = weight(DType.F32, 8, hidden, null, new ActivationQuantization.None());
        List<Weight> gates = experts(ffn, hidden);
        List<Weight> ups = experts(ffn, hidden);
        List<Weight> downs = experts(hidden, ffn);
        for (int tokens : new int[] {1, 2, 31}) {
            compare(set, Activations.EIGHT_BIT, tokens, hidden, hidden, backend -> (x, out) -> {
                Routing routing = backend.routing(tokens, 2);
                backend.route(x, backend.load(router), routing);
                backend.gather(x, IntStream.range(0, tokens).toArray(), out);
                backend.experts(x, routing, new Experts(load(backend, gates), load(backend, ups), load(backend, downs)), out);
            });
        }
    }

    /** Of one to 512 rows, and in every layout of scales, with inputs as they are and quantised. */
    @ParameterizedTest
    @EnumSource(InstructionSet.class)
    void aRowsBitsDoNotDependOnTheOthers(InstructionSet set) {
        assume(set);
        int hidden = 100;
        Weight router = weight(DType.F32, 8, hidden, null, new ActivationQuantization.None());
        List<Weight> in = experts(60, hidden);
        List<Weight> out = experts(hidden, 60);
        float[] inputs = floats(512 * hidden);
        List<Weight> weights = new ArrayList<>(List.of(weight(DType.BF16, 50, hidden, null, new ActivationQuantization.None())));
        for (Scales scales : List.of(
                tensorScale(50, hidden), Scales.perRow(floats(50), hidden), new Scales(floats(4), 32, 64), new Scales(floats(8), 16, 50))) {
            weights.add(weight(DType.E4M3, 50, hidden, scales, new ActivationQuantization.None()));
            weights.add(weight(DType.E4M3, 50, hidden, scales, new ActivationQuantization.PerToken()));
            weights.add(weight(DType.E4M3, 50, hidden, scales, new ActivationQuantization.PerGroup(64)));
        }
        for (Weight weight : weights) {
            float[][] all = rows(set, 2, 512, inputs, weight, router, in, out);
            for (int rows : new int[] {1, 2, 3, 4, 5, 6, 7, 8, 63, 64, 257}) {
                assertThat(rows(set, 1, rows, inputs, weight, router, in, out)).isDeepEqualTo(Arrays.copyOf(all, rows));
            }
        }
    }

    private static float[][] rows(
            InstructionSet set, int threads, int rows, float[] inputs, Weight weight, Weight router, List<Weight> in, List<Weight> out) {
        int hidden = weight.columns();
        try (Backend backend = new CpuBackend(Activations.EIGHT_BIT, set, threads)) {
            Tensor x = fill(backend, inputs, rows, hidden);
            Tensor projected = backend.tensor(rows, weight.rows());
            backend.project(x, backend.load(weight), projected);
            Routing routing = backend.routing(rows, 2);
            backend.route(x, backend.load(router), routing);
            backend.experts(x, routing, new Experts(load(backend, in), load(backend, in), load(backend, out)), x);
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
                Tensor query = fill(backend, Arrays.copyOfRange(inputs, begin * width, (begin + count) * width), count, width);
                Tensor key = fill(backend, Arrays.copyOfRange(inputs, begin * width, (begin + count) * width), 2 * count, width / 2);
                Tensor halves = backend.tensor(count, width / 2);
                backend.gather(key, IntStream.range(0, count).map(i -> 2 * i).toArray(), halves);
                Batch batch = new Batch(
                        new int[count], IntStream.range(0, count).map(i -> first + i).toArray(), new int[] {0, count},
                        new int[][] {{4, 0, 2, 3, 1}}, new int[0]);
                backend.ropeAndStore(batch, new Rope(20, 1e4f), query, halves, halves, cache, 0);
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
    void refusesIndicesThatAreNoneOfItsMemory() {
        try (Backend backend = new CpuBackend(Activations.SIXTEEN_BIT)) {
            Matrix table = backend.load(weight(DType.F32, 10, 16, null, new ActivationQuantization.None()));
            Batch badToken = new Batch(new int[] {10}, new int[1], new int[] {0, 1}, new int[][] {{0}}, new int[0]);
            assertThatThrownBy(() -> backend.embed(badToken, table, backend.tensor(1, 16)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("token 10 of 10");
            KvCache cache = backend.kvCache(new KvCache.Shape(1, 1, 16), 2);
            Batch badBlock = new Batch(new int[1], new int[1], new int[] {0, 1}, new int[][] {{2}}, new int[0]);
            Tensor x = backend.tensor(1, 16);
            assertThatThrownBy(() -> backend.ropeAndStore(badBlock, new Rope(16, 1e4f), x, x, x, cache, 0))
                    .hasMessageContaining("cache block 2 of 2");
            assertThatThrownBy(() -> backend.gather(x, new int[] {-1}, x)).hasMessageContaining("row -1");
            assertThatThrownBy(() -> backend.project(x, table, x)).hasMessageContaining("expected [1, 10]");
        }
    }

    @Test
    void refusesEveryCallAfterClose() {
        Backend backend = new CpuBackend(Activations.SIXTEEN_BIT);
        Matrix weight = backend.load(weight(DType.F32, 10, 16, null, new ActivationQuantization.None()));
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
            Weight uncovered = weight(DType.E4M3, 32, 32, tooFew, new ActivationQuantization.None());
            assertThatThrownBy(() -> backend.load(uncovered))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("has 3 scales, needs 4");
            Weight bare = weight(DType.E4M3, 32, 32, null, new ActivationQuantization.None());
            assertThatThrownBy(() -> backend.load(bare)).hasMessageContaining("without usable scales");
        }
    }

    private interface Operation {
        void run(Tensor x, Tensor out);
    }

    private static Operation project(Backend backend, Weight weight) {
        return (x, out) -> backend.project(x, backend.load(weight), out);
    }

    private interface Setup {
        Operation on(Backend backend);
    }

    private void compare(InstructionSet set, Activations activations, int rows, int columns, int width, Setup setup) {
        compare(set, activations, rows, columns, width, 2e-4f, setup);
    }

    private void compare(
            InstructionSet set, Activations activations, int rows, int columns, int width, float tolerance, Setup setup) {
        float[] inputs = floats(rows * columns);
        float[][] expected = run(new ReferenceBackend(activations), inputs, rows, columns, width, setup);
        float[][] actual = run(new CpuBackend(activations, set, 3), inputs, rows, columns, width, setup);
        for (int t = 0; t < rows; t++) {
            float allowed = tolerance + SPLIT_ERROR * largest(expected[t]);
            for (int c = 0; c < width; c++) {
                assertThat(actual[t][c]).as("row %d, column %d", t, c).isCloseTo(expected[t][c], within(allowed));
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

    private static float[][] run(Backend backend, float[] inputs, int rows, int columns, int width, Setup setup) {
        try (backend) {
            Tensor x = fill(backend, inputs, rows, columns);
            Tensor out = backend.tensor(rows, width);
            setup.on(backend).run(x, out);
            float[][] results = new float[rows][width];
            for (int t = 0; t < rows; t++) {
                backend.read(out, t, results[t]);
            }
            return results;
        }
    }

    /** Rows of given numbers, by way of an embedding. */
    private static Tensor fill(Backend backend, float[] values, int rows, int columns) {
        ByteBuffer bytes = ByteBuffer.allocate(rows * columns * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values, 0, rows * columns);
        Matrix table = backend.load(Weight.plain("inputs", DType.F32, rows, columns, segment(bytes)));
        int[] ids = IntStream.range(0, rows).toArray();
        Tensor x = backend.tensor(rows, columns);
        backend.embed(new Batch(ids, new int[rows], new int[] {0, rows}, new int[][] {{}}, new int[0]), table, x);
        return x;
    }

    private static List<Matrix> load(Backend backend, List<Weight> weights) {
        return weights.stream().map(backend::load).toList();
    }

    private List<Weight> experts(int rows, int columns) {
        IntFunction<Weight> expert = e -> weight(
                DType.E4M3, rows, columns, tensorScale(rows, columns), new ActivationQuantization.None());
        return IntStream.range(0, 8).mapToObj(expert).toList();
    }

    private Scales tensorScale(int rows, int columns) {
        return Scales.perTensor(0.003f, rows, columns);
    }

    private float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = 0.01f + 0.2f * random.nextFloat();
        }
        return values;
    }

    /** Random finite elements of a type; e4m3 codes of every kind but NaN, subnormals among them. */
    private Weight weight(DType type, int rows, int columns, Scales scales, ActivationQuantization activation) {
        ByteBuffer bytes = ByteBuffer.allocate((int) (rows * type.rowBytes(columns))).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            float value = (float) random.nextGaussian() * 0.1f;
            switch (type) {
                case F32 -> bytes.putFloat(value);
                case F16 -> bytes.putShort(Float.floatToFloat16(value));
                case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(value) >> 16));
                case E4M3 -> bytes.put((byte) (random.nextInt(127) | random.nextInt(2) << 7));
                case INT4 -> bytes.put((byte) random.nextInt(256));
            }
        }
        Scales used = switch (type) {
            case E4M3 -> scales;
            case INT4 -> new Scales(floats(rows * Math.ceilDiv(columns, DType.INT4_GROUP)), 1, DType.INT4_GROUP);
            default -> null;
        };
        return new Weight("random", type, rows, columns, segment(bytes), used, activation);
    }

    private static MemorySegment segment(ByteBuffer bytes) {
        MemorySegment segment = Arena.ofAuto().allocate(Math.max(1, bytes.capacity()), 64);
        return segment.copyFrom(MemorySegment.ofArray(bytes.array()));
    }
}
