package io.moebius.bench;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.Experts;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Program;
import io.moebius.backend.Rope;
import io.moebius.backend.Roofline;
import io.moebius.backend.Routing;
import io.moebius.backend.Tensor;
import io.moebius.backend.Weight;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Adds up the work that a decoder asks another backend for. Which experts a router chose is not visible from here: as many are
 * counted as even choices touch on average, experts * (1 - (1 - topK / experts) ^ tokens).
 */
final class MeteredBackend implements Backend {

    private final Backend backend;
    private final Map<Matrix, Long> bytes = new IdentityHashMap<>();
    private final Map<Integer, Work> steps = new HashMap<>();
    private KvCache.Shape kvShape;
    private double kvTokenBytes;
    private Work total = new Work(0, 0);

    MeteredBackend(Backend backend) {
        this.backend = backend;
    }

    /** Of everything so far. */
    Work total() {
        return total;
    }

    private void read(Matrix matrix, int tokens) {
        total = total.plus(bytes.get(matrix), 2.0 * matrix.rows() * matrix.columns() * tokens);
    }

    private Matrix metered(Matrix matrix, Weight weight) {
        bytes.put(matrix, weight.bytes());
        return matrix;
    }

    @Override
    public Matrix load(Weight weight) {
        return metered(backend.load(weight), weight);
    }

    @Override
    public List<Matrix> loadTogether(List<Weight> weights) {
        List<Matrix> matrices = backend.loadTogether(weights);
        for (int i = 0; i < matrices.size(); i++) {
            metered(matrices.get(i), weights.get(i));
        }
        return matrices;
    }

    @Override
    public Matrix loadTable(Weight weight) {
        return metered(backend.loadTable(weight), weight);
    }

    @Override
    public void prepareGates(List<Matrix> gates, List<Matrix> ups) {
        backend.prepareGates(gates, ups);
    }

    /** A step that is repeated from a record makes no calls: the work is that of when it was recorded. */
    @Override
    public Tensor run(Program program, Batch batch, KvCache cache) {
        Work before = total;
        Tensor logits = backend.run(program, batch, cache);
        Work made = total.minus(before);
        if (made.bytes() > 0) {
            steps.put(batch.size(), made);
        } else {
            total = total.plus(steps.get(batch.size()).bytes(), steps.get(batch.size()).flops());
        }
        return logits;
    }

    @Override
    public long bytesToCome() {
        return backend.bytesToCome();
    }

    @Override
    public void settle() {
        backend.settle();
    }

    @Override
    public OptionalLong freeBytes() {
        return backend.freeBytes();
    }

    @Override
    public KvCache kvCache(KvCache.Shape shape, int blocks) {
        kvShape = shape;
        kvTokenBytes = (double) backend.kvBlockBytes(shape) / KvCache.BLOCK_TOKENS / shape.layers();
        return backend.kvCache(shape, blocks);
    }

    @Override
    public void addBias(Tensor x, Matrix bias) {
        backend.addBias(x, bias);
    }

    @Override
    public void swiGlu(Tensor gate, Tensor up) {
        backend.swiGlu(gate, up);
    }

    @Override
    public void project(Tensor x, Matrix weight, Tensor out) {
        read(weight, x.rows());
        backend.project(x, weight, out);
    }

    @Override
    public void projectAdd(Tensor x, Matrix weight, Tensor residual) {
        read(weight, x.rows());
        backend.projectAdd(x, weight, residual);
    }

    @Override
    public void route(Tensor x, Matrix router, Routing out) {
        read(router, x.rows());
        backend.route(x, router, out);
    }

    @Override
    public void experts(Tensor x, Routing routing, Experts experts, Tensor residual) {
        Matrix gate = experts.gate().getFirst();
        double share = (double) routing.topK() / experts.count();
        double touched = experts.count() * (1 - Math.pow(1 - share, x.rows()));
        double expert = bytes.get(gate) + bytes.get(experts.up().getFirst()) + bytes.get(experts.down().getFirst());
        total = total.plus(touched * expert, 6.0 * gate.rows() * gate.columns() * routing.topK() * x.rows());
        backend.experts(x, routing, experts, residual);
    }

    @Override
    public void attend(Batch batch, Tensor query, KvCache cache, int layer, Tensor out) {
        total = total.plus(kvTokenBytes * kvShape.tokensRead(batch), 4.0 * query.columns() * kvShape.tokensSeen(batch));
        backend.attend(batch, query, cache, layer, out);
    }

    @Override
    public String description() {
        return backend.description();
    }

    @Override
    public Activations activations() {
        return backend.activations();
    }

    @Override
    public Optional<Roofline> roofline() {
        return backend.roofline();
    }

    @Override
    public Tensor tensor(int rows, int columns) {
        return backend.tensor(rows, columns);
    }

    @Override
    public Routing routing(int tokens, int topK) {
        return backend.routing(tokens, topK);
    }

    @Override
    public long kvBlockBytes(KvCache.Shape shape) {
        return backend.kvBlockBytes(shape);
    }

    @Override
    public void embed(Batch batch, Matrix table, Tensor out) {
        backend.embed(batch, table, out);
    }

    @Override
    public void rmsNorm(Tensor x, Matrix weight, double epsilon, Tensor out) {
        backend.rmsNorm(x, weight, epsilon, out);
    }

    @Override
    public void ropeAndStore(Batch batch, Rope rope, Tensor query, Tensor key, Tensor value, KvCache cache, int layer) {
        backend.ropeAndStore(batch, rope, query, key, value, cache, layer);
    }

    @Override
    public void gather(Tensor x, int[] rows, Tensor out) {
        backend.gather(x, rows, out);
    }

    @Override
    public void read(Tensor x, int row, float[] out) {
        backend.read(x, row, out);
    }

    @Override
    public void close() {
        backend.close();
    }
}
