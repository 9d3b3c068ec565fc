package io.moebius.bench;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.Experts;
import io.moebius.backend.InStep;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Rope;
import io.moebius.backend.Routing;
import io.moebius.backend.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** All kernels one by one: the best of many calls, on operands that no cache holds. */
public final class KernelBench {

    private static final int COPIES = 16;
    private static final int MOST_TOKENS = 512;

    private final Shape shape;

    public KernelBench(Shape shape) {
        this.shape = shape;
    }

    /** @param boundFraction of the lower of the two bounds, null where the device has no measured ones, or caches hold the operands */
    public record Result(String kernel, String size, int tokens, double microseconds, double gigabytesPerSecond, double gigaflops,
            Double boundFraction) {

        public String row() {
            return String.format(
                    Locale.ROOT, "%-10s %-22s %6d %10.0f %8.1f %9.0f  %s",
                    kernel, size, tokens, microseconds, gigabytesPerSecond, gigaflops,
                    boundFraction == null ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * boundFraction));
        }

        Result withoutBound() {
            return new Result(kernel, size, tokens, microseconds, gigabytesPerSecond, gigaflops, null);
        }
    }

    public static String heading() {
        return "kernel     size                   tokens         us     GB/s   GFLOP/s  of its bound";
    }

    /** Measures on a backend of its own, which it closes. */
    public List<Result> run(Backend device) {
        try (Arena arena = Arena.ofConfined(); MeteredBackend backend = new MeteredBackend(device)) {
            KernelTimer timer = new KernelTimer(backend);
            RandomOperands operands = new RandomOperands(backend, arena);
            List<Result> results = new ArrayList<>();
            List<Matrix> inner = operands.weights(COPIES, DType.E4M3, shape.ffn(), shape.hidden());
            for (int tokens : new int[] {1, 8, 32, MOST_TOKENS}) {
                results.add(project(backend, timer, operands, "e4m3", inner, tokens));
            }
            List<Matrix> head = operands.weights(1, DType.BF16, shape.vocabulary(), shape.hidden());
            for (int tokens : new int[] {1, 32}) {
                results.add(project(backend, timer, operands, "bf16", head, tokens));
            }
            Experts experts = new Experts(
                    operands.weights(shape.experts(), DType.E4M3, shape.ffn(), shape.hidden()),
                    operands.weights(shape.experts(), DType.E4M3, shape.ffn(), shape.hidden()),
                    operands.weights(shape.experts(), DType.E4M3, shape.hidden(), shape.ffn()));
            Matrix router = operands.weight(DType.BF16, shape.experts(), shape.hidden());
            for (int tokens : new int[] {1, 8, 32, MOST_TOKENS}) {
                results.add(experts(backend, timer, operands, experts, router, tokens));
            }
            results.add(attend(backend, timer, operands, 1, 1, 8000));
            results.add(attend(backend, timer, operands, 8, 1, 2000));
            results.add(attend(backend, timer, operands, 1, MOST_TOKENS, MOST_TOKENS));
            ActivationKernels small = new ActivationKernels(shape, backend, timer, operands);
            for (int tokens : new int[] {1, MOST_TOKENS}) {
                results.addAll(small.run(tokens, router));
            }
            return results;
        }
    }

    private Result project(
            Backend backend, KernelTimer timer, RandomOperands operands, String type, List<Matrix> weights, int tokens) {
        Matrix any = weights.getFirst();
        Tensor x = operands.activations(tokens, any.columns());
        Tensor out = backend.tensor(tokens, any.rows());
        return timer.time("project", "%s %d x %d".formatted(type, any.rows(), any.columns()), tokens,
                i -> InStep.run(backend, tokens, prompt(tokens), () -> backend.project(x, weights.get(i % weights.size()), out)));
    }

    private Result experts(
            Backend backend, KernelTimer timer, RandomOperands operands, Experts experts, Matrix router, int tokens) {
        Tensor x = operands.activations(tokens, shape.hidden());
        Tensor residual = backend.tensor(tokens, shape.hidden());
        Routing routing = backend.routing(tokens, shape.expertsPerToken());
        backend.route(x, router, routing);
        return timer.time("experts", "%d x %d x %d".formatted(shape.experts(), shape.ffn(), shape.hidden()), tokens,
                i -> InStep.run(backend, tokens, prompt(tokens), () -> backend.experts(x, routing, experts, residual)));
    }

    /** Tokens are a prompt's where they are as many as that, else generated ones. */
    private static int prompt(int tokens) {
        return tokens == MOST_TOKENS ? tokens : 0;
    }

    /** @param tokens of each sequence, its last ones */
    private Result attend(Backend backend, KernelTimer timer, RandomOperands operands, int sequences, int tokens, int context) {
        int blocks = Math.ceilDiv(context, KvCache.BLOCK_TOKENS);
        KvCache cache = backend.kvCache(new KvCache.Shape(1, shape.kvHeads(), shape.headDim()), sequences * blocks);
        int[][] tables = IntStream.range(0, sequences)
                .mapToObj(s -> IntStream.range(s * blocks, (s + 1) * blocks).toArray())
                .toArray(int[][]::new);
        Tensor query = operands.activations(context, shape.hidden());
        Tensor key = operands.activations(context, shape.kvWidth());
        for (int[] table : tables) {
            Batch fill = new Batch(
                    new int[context], IntStream.range(0, context).toArray(), new int[] {0, context}, new int[][] {table}, new int[0]);
            backend.ropeAndStore(fill, Rope.of(shape.headDim(), 1e6), query, key, key, cache, 0);
        }
        int all = sequences * tokens;
        Batch batch = new Batch(
                new int[all], IntStream.range(0, all).map(t -> context - tokens + t % tokens).toArray(),
                IntStream.rangeClosed(0, sequences).map(s -> s * tokens).toArray(), tables, new int[0]);
        Tensor out = backend.tensor(all, shape.hidden());
        return timer.time("attend", "%d of context".formatted(context), all, i -> backend.attend(batch, query.first(all), cache, 0, out));
    }
}
