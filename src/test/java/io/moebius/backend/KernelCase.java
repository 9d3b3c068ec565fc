package io.moebius.backend;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Kernel calls that every backend must answer as the reference does: random numbers, awkward shapes.
 *
 * @param rows    of the input x
 * @param columns of the input x
 * @param width   columns of the result
 * @param slack   what a number that rounds to its other neighbour may move the result by
 */
public record KernelCase(String name, Activations activations, int rows, int columns, int width, float slack, Setup setup) {

    /** From x to out. */
    public interface Operation {
        void run(Tensor x, Tensor out);
    }

    public interface Setup {
        Operation on(Backend backend);
    }

    private static final RandomWeights RANDOM = new RandomWeights(5);

    @Override
    public String toString() {
        return name;
    }

    /** The result of each row. */
    public float[][] run(Backend backend) {
        try (backend) {
            Tensor x = RandomWeights.fill(backend, new RandomWeights(6).floats(rows * columns), rows, columns);
            Tensor out = backend.tensor(rows, width);
            setup.on(backend).run(x, out);
            float[][] results = new float[rows][width];
            for (int t = 0; t < rows; t++) {
                backend.read(out, t, results[t]);
            }
            return results;
        }
    }

    public static Stream<KernelCase> all() {
        List<KernelCase> cases = new ArrayList<>();
        products(cases);
        scales(cases);
        quantisedInputs(cases);
        attention(cases);
        Weight norm = RANDOM.plain(DType.BF16, 1, 172);
        Weight square = RANDOM.plain(DType.E4M3, 172, 172);
        Weight bias = RANDOM.plain(DType.BF16, 1, 172);
        cases.add(sixteen("a norm, and a product added to the residual", 9, 172, 172, 0, backend -> (x, out) -> {
            backend.rmsNorm(x, backend.load(norm), 1e-5, out);
            backend.projectAdd(x, backend.load(square), out);
        }));
        cases.add(sixteen("a product with a bias", 9, 172, 172, 0, backend -> (x, out) -> {
            backend.project(x, backend.load(square), out);
            backend.addBias(out, backend.load(bias));
        }));
        cases.add(sixteen("a gated product", 9, 172, 172, 0, backend -> (x, out) -> {
            Tensor up = backend.tensor(9, 172);
            backend.project(x, backend.load(square), out);
            backend.project(x, backend.load(square), up);
            backend.swiGlu(out, up);
        }));
        cases.add(sixteen("gathered rows", 9, 20, 20, 0, backend -> (x, out) ->
                backend.gather(x, new int[] {3, 4, 5, 0, 8, 8, 1, 2, 7}, out)));
        experts(cases);
        uncommonShapes(cases);
        return cases.stream();
    }

    private static void products(List<KernelCase> cases) {
        for (int[] shape : new int[][] {{1, 1, 1}, {1, 64, 172}, {3, 172, 64}, {17, 33, 100}, {5, 256, 192}, {64, 7, 512}}) {
            for (DType type : DType.values()) {
                Weight weight = RANDOM.plain(type, shape[1], shape[2]);
                cases.add(sixteen("%s %s".formatted(type, Arrays.toString(shape)), shape[0], shape[2], shape[1], 0, project(weight)));
            }
        }
    }

    private static void scales(List<KernelCase> cases) {
        for (Scales scales : List.of(
                Scales.perTensor(0.003f, 200, 192),
                Scales.perRow(RANDOM.floats(200), 192),
                new Scales(RANDOM.floats(2 * 2), 128, 128),
                new Scales(RANDOM.floats(13 * 4), 16, 50))) {
            Weight weight = RANDOM.weight(DType.E4M3, 200, 192, scales, new ActivationQuantization.None());
            String name = "scales per %d x %d".formatted(scales.blockRows(), scales.blockColumns());
            cases.add(sixteen(name, 3, 192, 200, 0, project(weight)));
        }
    }

    private static void quantisedInputs(List<KernelCase> cases) {
        for (ActivationQuantization scheme : List.of(
                new ActivationQuantization.None(),
                new ActivationQuantization.Static(0.002f),
                new ActivationQuantization.PerToken(),
                new ActivationQuantization.PerToken(0.1f),
                new ActivationQuantization.PerGroup(128))) {
            for (Scales scales : List.of(Scales.perTensor(0.003f, 40, 300), new Scales(RANDOM.floats(3), 128, 128))) {
                Weight weight = RANDOM.weight(DType.E4M3, 40, 300, scales, scheme);
                String name = "inputs %s, scales per %d x %d".formatted(scheme, scales.blockRows(), scales.blockColumns());
                cases.add(new KernelCase(name, Activations.EIGHT_BIT, 4, 300, 40, 0, project(weight)));
            }
        }
    }

    private static void attention(List<KernelCase> cases) {
        for (int headDim : new int[] {8, 20, 128}) {
            cases.add(pages(6, 2, headDim));
        }
        for (int blockRows : new int[] {1, 64, 128}) {
            cases.add(projected(blockRows));
        }
        for (int window : new int[] {1, 5, 16, 30, 100}) {
            KvCache.Shape shape = new KvCache.Shape(1, 3, 8, window, new KvStorage.Native());
            cases.add(sixteen("a window of " + window, 40, 24, 24, 0, backend -> (x, out) -> attend(backend, shape, x, out)));
        }
        // In float32 a number now and then rounds to the other neighbour: half a percent in bf16, 6 % in e4m3.
        KvCache.Shape bf16 = new KvCache.Shape(1, 3, 20, 0, new KvStorage.BFloat16());
        KvCache.Shape fp8 = new KvCache.Shape(1, 3, 20, 9, new KvStorage.Fp8(List.of(0.001f), List.of(0.002f)));
        cases.add(sixteen("a bf16 cache", 40, 60, 60, 1e-3f, backend -> (x, out) -> attend(backend, bf16, x, out)));
        cases.add(sixteen("an e4m3 cache", 40, 60, 60, 4e-3f, backend -> (x, out) -> attend(backend, fp8, x, out)));
    }

    /** Three sequences: 20 tokens from the start, one token alone, and 3 tokens. */
    private static KernelCase pages(int heads, int kvHeads, int headDim) {
        int tokens = 24;
        int width = heads * headDim;
        Weight key = RANDOM.plain(DType.F32, kvHeads * headDim, width);
        Batch batch = new Batch(
                new int[tokens],
                IntStream.of(20, 1, 3).flatMap(n -> IntStream.range(0, n)).toArray(),
                new int[] {0, 20, 21, 24},
                new int[][] {{3, 0}, {4}, {1}},
                new int[0]);
        String name = "pages of several sequences, %d heads of %d over %d".formatted(heads, headDim, kvHeads);
        return sixteen(name, tokens, width, width, 0, backend -> (x, out) -> {
            KvCache cache = backend.kvCache(new KvCache.Shape(2, kvHeads, headDim), 5);
            Tensor k = backend.tensor(tokens, kvHeads * headDim);
            Tensor v = backend.tensor(tokens, kvHeads * headDim);
            Matrix matrix = backend.load(key);
            backend.project(x, matrix, k);
            backend.project(x, matrix, v);
            backend.ropeAndStore(batch, Rope.of(headDim, 1e4), x, k, v, cache, 1);
            backend.attend(batch, x, cache, 1, out);
        });
    }

    /** Query, key and value from one input, in weights whose rows are full strips of 64. */
    private static KernelCase projected(int blockRows) {
        Weight query = scaled(128, blockRows);
        Weight key = scaled(64, blockRows);
        Weight value = scaled(64, blockRows);
        Batch batch = new Batch(
                new int[7], IntStream.range(0, 7).toArray(), new int[] {0, 7}, new int[][] {{1}}, new int[0]);
        return sixteen("query, key and value, a scale per %d rows".formatted(blockRows), 7, 100, 128, 0, backend -> (x, out) -> {
            KvCache cache = backend.kvCache(new KvCache.Shape(1, 2, 32), 2);
            Tensor q = backend.tensor(7, 128);
            Tensor k = backend.tensor(7, 64);
            Tensor v = backend.tensor(7, 64);
            backend.project(x, backend.load(query), q);
            backend.project(x, backend.load(key), k);
            backend.project(x, backend.load(value), v);
            backend.ropeAndStore(batch, new Rope(Rope.of(32, 1e4).frequencies(), 1.25), q, k, v, cache, 0);
            backend.attend(batch, q, cache, 0, out);
        });
    }

    private static Weight scaled(int rows, int blockRows) {
        int blocks = Math.ceilDiv(rows, blockRows);
        float[] factors = RANDOM.floats(blocks);
        for (int i = 0; i < blocks; i++) {
            factors[i] *= 0.02f;
        }
        return RANDOM.weight(DType.E4M3, rows, 100, new Scales(factors, blockRows, 128), new ActivationQuantization.None());
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
        backend.ropeAndStore(batch, Rope.of(shape.headDim(), 1e4), x, key, value, cache, 0);
        backend.attend(batch, x, cache, 0, out);
    }

    private static void experts(List<KernelCase> cases) {
        Weight router = RANDOM.plain(DType.F32, 8, 64);
        for (ActivationQuantization scheme : List.of(new ActivationQuantization.None(), new ActivationQuantization.PerToken())) {
            List<Weight> gates = RANDOM.experts(8, 172, 64, scheme);
            List<Weight> ups = RANDOM.experts(8, 172, 64, scheme);
            List<Weight> downs = RANDOM.experts(8, 64, 172, new ActivationQuantization.None());
            for (int tokens : new int[] {1, 2, 31, 70}) {
                cases.add(experts("experts of %d tokens, inputs %s".formatted(tokens, scheme), tokens, 2, router, gates, ups, downs));
            }
        }
    }

    private static KernelCase experts(
            String name, int tokens, int topK, Weight router, List<Weight> gates, List<Weight> ups, List<Weight> downs) {
        int hidden = router.columns();
        return new KernelCase(name, Activations.EIGHT_BIT, tokens, hidden, hidden, 0, backend -> (x, out) -> {
            Routing routing = backend.routing(tokens, topK);
            backend.route(x, backend.loadTable(router), routing);
            backend.gather(x, IntStream.range(0, tokens).toArray(), out);
            Experts experts = new Experts(backend.loadTogether(gates), backend.loadTogether(ups), backend.loadTogether(downs));
            backend.experts(x, routing, experts, out);
        });
    }

    /** Larger heads, more heads over one, more experts and more of them chosen than models have today; and formats that differ among experts. */
    private static void uncommonShapes(List<KernelCase> cases) {
        cases.add(pages(4, 2, 320));
        cases.add(pages(192, 1, 8));
        ActivationQuantization plain = new ActivationQuantization.None();
        cases.add(experts(
                "33 of 300 experts", 3, 33, RANDOM.plain(DType.F32, 300, 64), RANDOM.experts(300, 20, 64, plain),
                RANDOM.experts(300, 20, 64, plain), RANDOM.experts(300, 64, 20, plain)));
        List<Weight> downs = new ArrayList<>(RANDOM.experts(4, 64, 40, plain));
        downs.set(1, RANDOM.plain(DType.BF16, 64, 40));
        downs.set(2, perRow(1, 64, 40).getFirst());
        cases.add(experts(
                "experts of several formats", 5, 2, RANDOM.plain(DType.F32, 4, 64), RANDOM.experts(4, 40, 64, plain),
                RANDOM.experts(4, 40, 64, plain), downs));
        cases.add(experts(
                "experts whose gates have other scales than their ups", 5, 2, RANDOM.plain(DType.F32, 4, 64),
                RANDOM.experts(4, 40, 64, plain), perRow(4, 40, 64), RANDOM.experts(4, 64, 40, plain)));
        Weight gate = RANDOM.plain(DType.E4M3, 172, 172);
        Weight other = RANDOM.plain(DType.F16, 172, 172);
        cases.add(sixteen("a gate and an up of two formats", 9, 172, 172, 0, backend -> (x, out) -> {
            Tensor up = backend.tensor(9, 172);
            backend.project(x, backend.load(gate), out);
            backend.project(x, backend.load(other), up);
            backend.swiGlu(out, up);
        }));
    }

    private static List<Weight> perRow(int count, int rows, int columns) {
        return IntStream.range(0, count)
                .mapToObj(e -> {
                    float[] scales = RANDOM.floats(rows);
                    for (int i = 0; i < rows; i++) {
                        scales[i] *= 0.02f;
                    }
                    return RANDOM.weight(DType.E4M3, rows, columns, Scales.perRow(scales, columns), new ActivationQuantization.None());
                })
                .toList();
    }

    private static KernelCase sixteen(String name, int rows, int columns, int width, float slack, Setup setup) {
        return new KernelCase(name, Activations.SIXTEEN_BIT, rows, columns, width, slack, setup);
    }

    private static Setup project(Weight weight) {
        return backend -> (x, out) -> backend.project(x, backend.load(weight), out);
    }
}
