package io.moebius.backend.reference;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.Experts;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Rope;
import io.moebius.backend.Routing;
import io.moebius.backend.Tensor;
import io.moebius.backend.Weight;
import java.util.Arrays;

/** Every kernel by its definition, in float64 throughout; slow, and meant to be read. */
public final class ReferenceBackend implements Backend {

    private final Activations activations;
    private final Linear linear;

    public ReferenceBackend(Activations activations) {
        this.activations = activations;
        this.linear = new Linear(activations);
    }

    @Override
    public String description() {
        return "reference (plain Java, 1 thread)";
    }

    @Override
    public Activations activations() {
        return activations;
    }

    @Override
    public Tensor tensor(int rows, int columns) {
        return new DoubleTensor(rows, columns);
    }

    @Override
    public Routing routing(int tokens, int topK) {
        return new ChosenExperts(new int[tokens][topK], new double[tokens][topK], topK);
    }

    @Override
    public Matrix load(Weight weight) {
        return DoubleMatrix.of(weight);
    }

    @Override
    public long kvBlockBytes(KvCache.Shape shape) {
        return 2L * shape.layers() * KvCache.BLOCK_TOKENS * shape.heads() * shape.headDim() * Double.BYTES;
    }

    @Override
    public String nativeKvType() {
        return "float64";
    }

    @Override
    public KvCache kvCache(KvCache.Shape shape, int blocks) {
        return DoubleKvCache.of(shape, blocks);
    }

    @Override
    public void embed(Batch batch, Matrix table, Tensor out) {
        for (int t = 0; t < batch.size(); t++) {
            double[] row = ((DoubleMatrix) table).values()[batch.tokens()[t]];
            System.arraycopy(row, 0, ((DoubleTensor) out).values(), t * out.columns(), row.length);
        }
    }

    @Override
    public void rmsNorm(Tensor x, Matrix weight, double epsilon, Tensor out) {
        double[] factors = ((DoubleMatrix) weight).values()[0];
        for (int t = 0; t < x.rows(); t++) {
            double squares = 0;
            for (double value : Linear.row((DoubleTensor) x, t)) {
                squares += value * value;
            }
            double root = Math.sqrt(squares / x.columns() + epsilon);
            for (int c = 0; c < x.columns(); c++) {
                ((DoubleTensor) out).set(t, c, ((DoubleTensor) x).at(t, c) / root * factors[c]);
            }
        }
    }

    @Override
    public void project(Tensor x, Matrix weight, Tensor out) {
        for (int t = 0; t < x.rows(); t++) {
            double[] product = linear.apply(Linear.row((DoubleTensor) x, t), (DoubleMatrix) weight);
            System.arraycopy(product, 0, ((DoubleTensor) out).values(), t * out.columns(), product.length);
        }
    }

    @Override
    public void projectAdd(Tensor x, Matrix weight, Tensor residual) {
        for (int t = 0; t < x.rows(); t++) {
            add(linear.apply(Linear.row((DoubleTensor) x, t), (DoubleMatrix) weight), 1, (DoubleTensor) residual, t);
        }
    }

    @Override
    public void addBias(Tensor x, Matrix bias) {
        for (int t = 0; t < x.rows(); t++) {
            add(((DoubleMatrix) bias).values()[0], 1, (DoubleTensor) x, t);
        }
    }

    @Override
    public void swiGlu(Tensor gate, Tensor up) {
        for (int t = 0; t < gate.rows(); t++) {
            for (int c = 0; c < gate.columns(); c++) {
                double x = ((DoubleTensor) gate).at(t, c);
                ((DoubleTensor) gate).set(t, c, x / (1 + Math.exp(-x)) * ((DoubleTensor) up).at(t, c));
            }
        }
    }

    @Override
    public void ropeAndStore(
            Batch batch, Rope rope, Tensor query, Tensor key, Tensor value, KvCache cache, int layer) {
        for (int s = 0; s < batch.sequences(); s++) {
            for (int t = batch.offsets()[s]; t < batch.offsets()[s + 1]; t++) {
                int position = batch.positions()[t];
                Attention.rotate((DoubleTensor) query, t, position, rope);
                Attention.rotate((DoubleTensor) key, t, position, rope);
                int slot = DoubleKvCache.slot(batch.blockTables()[s], position);
                Attention.store((DoubleTensor) key, (DoubleTensor) value, t, slot, (DoubleKvCache) cache, layer);
            }
        }
    }

    @Override
    public void attend(Batch batch, Tensor query, KvCache cache, int layer, Tensor out) {
        for (int s = 0; s < batch.sequences(); s++) {
            for (int t = batch.offsets()[s]; t < batch.offsets()[s + 1]; t++) {
                Attention.attend(batch, s, t, (DoubleTensor) query, (DoubleKvCache) cache, layer, (DoubleTensor) out);
            }
        }
    }

    @Override
    public void route(Tensor x, Matrix router, Routing out) {
        for (int t = 0; t < x.rows(); t++) {
            double[] probabilities = linear.apply(Linear.row((DoubleTensor) x, t), (DoubleMatrix) router);
            Softmax.apply(probabilities);
            choose(probabilities, ((ChosenExperts) out).ids()[t], ((ChosenExperts) out).weights()[t]);
        }
    }

    private static void choose(double[] probabilities, int[] ids, double[] weights) {
        double sum = 0;
        for (int k = 0; k < ids.length; k++) {
            int best = -1;
            for (int e = 0; e < probabilities.length; e++) {
                if (!contains(ids, k, e) && (best < 0 || probabilities[e] > probabilities[best])) {
                    best = e;
                }
            }
            ids[k] = best;
            weights[k] = probabilities[best];
            sum += weights[k];
        }
        for (int k = 0; k < ids.length; k++) {
            weights[k] /= sum;
        }
    }

    private static boolean contains(int[] ids, int count, int id) {
        return Arrays.stream(ids, 0, count).anyMatch(taken -> taken == id);
    }

    @Override
    public void experts(Tensor x, Routing routing, Experts experts, Tensor residual) {
        ChosenExperts chosen = (ChosenExperts) routing;
        for (int t = 0; t < x.rows(); t++) {
            for (int k = 0; k < chosen.topK(); k++) {
                double[] output = expert(Linear.row((DoubleTensor) x, t), experts, chosen.ids()[t][k]);
                add(output, chosen.weights()[t][k], (DoubleTensor) residual, t);
            }
        }
    }

    private double[] expert(double[] x, Experts experts, int expert) {
        double[] gate = linear.apply(x, (DoubleMatrix) experts.gate().get(expert));
        double[] up = linear.apply(x, (DoubleMatrix) experts.up().get(expert));
        for (int i = 0; i < gate.length; i++) {
            gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        return linear.apply(gate, (DoubleMatrix) experts.down().get(expert));
    }

    private static void add(double[] values, double factor, DoubleTensor residual, int t) {
        for (int c = 0; c < values.length; c++) {
            residual.add(t, c, factor * values[c]);
        }
    }

    @Override
    public void gather(Tensor x, int[] rows, Tensor out) {
        for (int i = 0; i < rows.length; i++) {
            double[] row = Linear.row((DoubleTensor) x, rows[i]);
            System.arraycopy(row, 0, ((DoubleTensor) out).values(), i * out.columns(), row.length);
        }
    }

    @Override
    public void read(Tensor x, int row, float[] out) {
        for (int c = 0; c < x.columns(); c++) {
            out[c] = (float) ((DoubleTensor) x).at(row, c);
        }
    }

    @Override
    public void close() {}
}
