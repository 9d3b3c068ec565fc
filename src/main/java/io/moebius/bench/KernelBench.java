package io.moebius.bench;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.Experts;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Program;
import io.moebius.backend.Rope;
import io.moebius.backend.Roofline;
import io.moebius.backend.Routing;
import io.moebius.backend.Scales;
import io.moebius.backend.Tensor;
import io.moebius.backend.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** The kernels that cost time, one by one: the best of many calls, on weights that no cache holds. */
public final class KernelBench {

    private static final long NANOS = 600_000_000L;
    private static final int CALLS = 400;
    private static final int COPIES = 16;
    private static final int MOST_TOKENS = 512;

    private final Shape shape;
    private final Random random = new Random(3);

    public KernelBench(Shape shape) {
        this.shape = shape;
    }

    /** @param boundFraction of the lower of the two bounds, null where the device has no measured ones */
    public record Result(String kernel, String size, int tokens, double microseconds, double gigabytesPerSecond, double gigaflops,
            Double boundFraction) {

        public String row() {
            return String.format(
                    Locale.ROOT, "%-10s %-22s %6d %10.0f %8.1f %9.0f  %s",
                    kernel, size, tokens, microseconds, gigabytesPerSecond, gigaflops,
                    boundFraction == null ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * boundFraction));
        }
    }

    public static String heading() {
        return "kernel     size                   tokens         us     GB/s   GFLOP/s  of its bound";
    }

    /** Measures on a backend of its own, which it closes. */
    public List<Result> run(Backend device) {
        try (Arena arena = Arena.ofConfined(); MeteredBackend backend = new MeteredBackend(device)) {
            Optional<Roofline> roofline = backend.roofline();
            List<Result> results = new ArrayList<>();
            List<Matrix> inner = load(backend, arena, COPIES, DType.E4M3, shape.ffn(), shape.hidden());
            for (int tokens : new int[] {1, 8, 32, MOST_TOKENS}) {
                results.add(project(backend, roofline, "e4m3", inner, tokens));
            }
            List<Matrix> head = load(backend, arena, 1, DType.BF16, shape.vocabulary(), shape.hidden());
            for (int tokens : new int[] {1, 32}) {
                results.add(project(backend, roofline, "bf16", head, tokens));
            }
            Experts experts = new Experts(
                    load(backend, arena, shape.experts(), DType.E4M3, shape.ffn(), shape.hidden()),
                    load(backend, arena, shape.experts(), DType.E4M3, shape.ffn(), shape.hidden()),
                    load(backend, arena, shape.experts(), DType.E4M3, shape.hidden(), shape.ffn()));
            Matrix router = load(backend, arena, 1, DType.BF16, shape.experts(), shape.hidden()).getFirst();
            for (int tokens : new int[] {1, 8, 32, MOST_TOKENS}) {
                results.add(experts(backend, roofline, experts, router, tokens));
            }
            results.add(attend(backend, roofline, 1, 8000));
            results.add(attend(backend, roofline, 8, 2000));
            return results;
        }
    }

    private Result project(MeteredBackend backend, Optional<Roofline> roofline, String type, List<Matrix> weights, int tokens) {
        Matrix any = weights.getFirst();
        Tensor x = inputs(backend, tokens, any.columns());
        Tensor out = backend.tensor(tokens, any.rows());
        return time(backend, roofline, "project", "%s %d x %d".formatted(type, any.rows(), any.columns()), tokens,
                i -> inStep(backend, tokens, () -> backend.project(x, weights.get(i % weights.size()), out)));
    }

    private Result experts(MeteredBackend backend, Optional<Roofline> roofline, Experts experts, Matrix router, int tokens) {
        Tensor x = inputs(backend, tokens, shape.hidden());
        Tensor residual = backend.tensor(tokens, shape.hidden());
        Routing routing = backend.routing(tokens, shape.expertsPerToken());
        backend.route(x, router, routing);
        return time(backend, roofline, "experts", "%d x %d x %d".formatted(shape.experts(), shape.ffn(), shape.hidden()), tokens,
                i -> inStep(backend, tokens, () -> backend.experts(x, routing, experts, residual)));
    }

    /** Of a prompt's tokens where they are as many as that, else of generated ones. */
    private static void inStep(Backend backend, int tokens, Runnable call) {
        int[] promptLength = {tokens == MOST_TOKENS ? tokens : 0};
        Batch batch = new Batch(
                new int[tokens], IntStream.range(0, tokens).toArray(), new int[] {0, tokens}, new int[1][0], new int[0], promptLength);
        backend.run(new Program() {
            @Override
            public int mostLogitRows() {
                return 0;
            }

            @Override
            public Tensor run(Batch of, KvCache cache) {
                call.run();
                return null;
            }
        }, batch, null);
    }

    private Result attend(MeteredBackend backend, Optional<Roofline> roofline, int sequences, int context) {
        int blocks = Math.ceilDiv(context, KvCache.BLOCK_TOKENS);
        KvCache cache = backend.kvCache(new KvCache.Shape(1, shape.kvHeads(), shape.headDim()), sequences * blocks);
        int[][] tables = IntStream.range(0, sequences)
                .mapToObj(s -> IntStream.range(s * blocks, (s + 1) * blocks).toArray())
                .toArray(int[][]::new);
        Tensor query = inputs(backend, context, shape.hidden());
        Tensor key = inputs(backend, context, shape.kvWidth());
        for (int[] table : tables) {
            Batch fill = new Batch(
                    new int[context], IntStream.range(0, context).toArray(), new int[] {0, context}, new int[][] {table}, new int[0]);
            backend.ropeAndStore(fill, new Rope(shape.headDim(), 1e6f), query, key, key, cache, 0);
        }
        Batch batch = new Batch(
                new int[sequences], IntStream.range(0, sequences).map(s -> context - 1).toArray(),
                IntStream.rangeClosed(0, sequences).toArray(), tables, new int[0]);
        Tensor out = backend.tensor(sequences, shape.hidden());
        return time(backend, roofline, "attend", "%d of context".formatted(context), sequences,
                i -> backend.attend(batch, query.first(sequences), cache, 0, out));
    }

    private Result time(
            MeteredBackend backend, Optional<Roofline> roofline, String kernel, String size, int tokens, IntConsumer call) {
        call.accept(0);
        long best = Long.MAX_VALUE;
        Work work = null;
        long begin = System.nanoTime();
        for (int i = 1; i < 3 || i < CALLS && System.nanoTime() - begin < NANOS; i++) {
            Work before = backend.total();
            long start = System.nanoTime();
            call.accept(i);
            best = Math.min(best, System.nanoTime() - start);
            work = backend.total().minus(before);
        }
        double seconds = best / 1e9;
        Work done = work;
        return new Result(
                kernel, size, tokens, seconds * 1e6, work.bytes() / seconds / 1e9, work.flops() / seconds / 1e9,
                roofline.map(r -> r.seconds(done.bytes(), done.flops()) / seconds).orElse(null));
    }

    /** Rows of random numbers, by way of an embedding. */
    private Tensor inputs(Backend backend, int rows, int columns) {
        MemorySegment values = Arena.ofAuto().allocate((long) rows * columns * Float.BYTES, 64);
        FloatBuffer floats = values.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        while (floats.hasRemaining()) {
            floats.put((float) random.nextGaussian());
        }
        Tensor x = backend.tensor(rows, columns);
        Matrix table = backend.load(Weight.plain("inputs", DType.F32, rows, columns, values));
        Batch all = new Batch(
                IntStream.range(0, rows).toArray(), new int[rows], new int[] {0, rows}, new int[][] {{}}, new int[0]);
        backend.embed(all, table, x);
        return x;
    }

    private List<Matrix> load(Backend backend, Arena arena, int count, DType type, int rows, int columns) {
        long bytes = (long) rows * columns * type.bytes();
        byte[] pattern = new byte[1 << 16];
        for (int i = 0; i < pattern.length; i++) {
            // Any code but NaN; of bfloat16 numbers around one, of either sign.
            pattern[i] = (byte) (type == DType.E4M3 ? random.nextInt(127) | random.nextInt(2) << 7
                    : i % 2 == 0 ? random.nextInt(256) : 0x3f | random.nextInt(2) << 7);
        }
        MemorySegment data = arena.allocate(bytes, 64);
        for (long at = 0; at < bytes; at += pattern.length) {
            MemorySegment.copy(MemorySegment.ofArray(pattern), 0, data, at, Math.min(pattern.length, bytes - at));
        }
        Weight weight = type == DType.E4M3
                ? new Weight("random", type, rows, columns, data, Scales.perTensor(1e-4f, rows, columns), new ActivationQuantization.None())
                : Weight.plain("random", type, rows, columns, data);
        // The CPU repacks each copy to memory of its own.
        return IntStream.range(0, count).mapToObj(i -> backend.load(weight)).toList();
    }
}
