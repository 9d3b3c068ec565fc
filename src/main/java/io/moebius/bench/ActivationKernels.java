package io.moebius.bench;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Rope;
import io.moebius.backend.Routing;
import io.moebius.backend.Tensor;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * The kernels between the products, whose bytes are float32 activations. Those of a prompt come from memory here, which they need not in a
 * step, and are held against its bound; those of one token lie in caches.
 */
final class ActivationKernels {

    /** Some 60 MB of a prompt's rows. */
    private static final int COPIES = 16;

    private final Shape shape;
    private final Backend backend;
    private final KernelTimer timer;
    private final RandomOperands operands;

    ActivationKernels(Shape shape, Backend backend, KernelTimer timer, RandomOperands operands) {
        this.shape = shape;
        this.backend = backend;
        this.timer = timer;
        this.operands = operands;
    }

    List<KernelBench.Result> run(int tokens, Matrix router) {
        List<Tensor> wide = operands.activations(COPIES, tokens, shape.hidden());
        return List.of(
                embed(tokens, wide), rmsNorm(tokens, wide), addBias(tokens, wide), swiGlu(tokens), ropeAndStore(tokens, wide),
                route(tokens, wide, router), gather(tokens, wide));
    }

    /** @param touched float32 activations that a call reads or writes */
    private KernelBench.Result time(String kernel, String size, int tokens, long touched, double otherBytes, IntConsumer call) {
        KernelBench.Result result = timer.time(kernel, size, tokens, touched * Float.BYTES + otherBytes, call);
        return tokens == 1 ? result.withoutBound() : result;
    }

    /** A copy that was not touched for as many calls as possible. */
    private static Tensor other(List<Tensor> copies, int call) {
        return copies.get((call + COPIES / 2) % COPIES);
    }

    private KernelBench.Result embed(int tokens, List<Tensor> x) {
        Matrix table = operands.table(shape.vocabulary(), shape.hidden());
        List<Batch> batches = IntStream.range(0, COPIES)
                .mapToObj(i -> RandomOperands.rows(tokens, row -> (i * tokens + row) % shape.vocabulary()))
                .toList();
        long elements = (long) tokens * shape.hidden();
        return time("embed", "bf16 " + shape.hidden(), tokens, elements, elements * DType.BF16.bytes(),
                i -> backend.embed(batches.get(i % COPIES), table, x.get(i % COPIES)));
    }

    private KernelBench.Result rmsNorm(int tokens, List<Tensor> x) {
        Matrix weight = operands.weight(DType.BF16, 1, shape.hidden());
        return time("rmsNorm", Integer.toString(shape.hidden()), tokens, 2L * tokens * shape.hidden(), 0,
                i -> backend.rmsNorm(x.get(i % COPIES), weight, 1e-5, other(x, i)));
    }

    private KernelBench.Result addBias(int tokens, List<Tensor> x) {
        Matrix bias = operands.weight(DType.BF16, 1, shape.hidden());
        return time("addBias", Integer.toString(shape.hidden()), tokens, 2L * tokens * shape.hidden(), 0,
                i -> backend.addBias(x.get(i % COPIES), bias));
    }

    private KernelBench.Result swiGlu(int tokens) {
        List<Tensor> gate = operands.activations(COPIES, tokens, shape.ffn());
        List<Tensor> up = operands.activations(COPIES, tokens, shape.ffn());
        return time("swiGlu", Integer.toString(shape.ffn()), tokens, 3L * tokens * shape.ffn(), 0,
                i -> backend.swiGlu(gate.get(i % COPIES), up.get(i % COPIES)));
    }

    private KernelBench.Result ropeAndStore(int tokens, List<Tensor> query) {
        KvCache.Shape kv = new KvCache.Shape(1, shape.kvHeads(), shape.headDim());
        int blocks = Math.ceilDiv(tokens, KvCache.BLOCK_TOKENS);
        KvCache cache = backend.kvCache(kv, COPIES * blocks);
        List<Tensor> key = operands.activations(COPIES, tokens, shape.kvWidth());
        List<Batch> batches = IntStream.range(0, COPIES)
                .mapToObj(i -> new Batch(
                        new int[tokens], IntStream.range(0, tokens).toArray(), new int[] {0, tokens},
                        new int[][] {IntStream.range(i * blocks, (i + 1) * blocks).toArray()}, new int[0]))
                .toList();
        Rope rope = Rope.of(shape.headDim(), 1e6);
        double stored = (double) backend.kvBlockBytes(kv) / KvCache.BLOCK_TOKENS * tokens;
        return time("rope+store", "%d, %d".formatted(shape.hidden(), shape.kvWidth()), tokens,
                tokens * (2L * shape.hidden() + 3L * shape.kvWidth()), stored,
                i -> backend.ropeAndStore(
                        batches.get(i % COPIES), rope, query.get(i % COPIES), key.get(i % COPIES), other(key, i), cache, 0));
    }

    private KernelBench.Result route(int tokens, List<Tensor> x, Matrix router) {
        Routing routing = backend.routing(tokens, shape.expertsPerToken());
        return time("route", "bf16 %d x %d".formatted(shape.experts(), shape.hidden()), tokens, (long) tokens * shape.hidden(), 0,
                i -> backend.route(x.get(i % COPIES), router, routing));
    }

    private KernelBench.Result gather(int tokens, List<Tensor> x) {
        int[] rows = IntStream.range(0, tokens).toArray();
        return time("gather", Integer.toString(shape.hidden()), tokens, 2L * tokens * shape.hidden(), 0,
                i -> backend.gather(x.get(i % COPIES), rows, other(x, i)));
    }
}
