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

/** Every kernel by its definition, in float32 with sums of products in float64; slow, and meant to be read. */
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
        return new FloatTensor(rows, columns);
    }

    @Override
    public Routing routing(int tokens, int topK) {
        return new ChosenExperts(new int[tokens][topK], new float[tokens][topK], topK);
    }

    @Override
    public Matrix load(Weight weight) {
        return FloatMatrix.of(weight);
    }

    @Override
    public long kvBlockBytes(KvCache.Shape shape) {
        return 2L * shape.layers() * KvCache.BLOCK_TOKENS * shape.heads() * shape.headDim() * Float.BYTES;
    }

    @Override
    public KvCache kvCache(KvCache.Shape shape, int blocks) {
        return FloatKvCache.of(shape, blocks);
    }

    @Override
    public void embed(Batch batch, Matrix table, Tensor out) {
        for (int t = 0; t < batch.size(); t++) {
            float[] row = ((FloatMatrix) table).values()[batch.tokens()[t]];
            System.arraycopy(row, 0, ((FloatTensor) out).values(), t * out.columns(), row.length);
        }
    }

    @Override
    public void rmsNorm(Tensor x, Matrix weight, float epsilon, Tensor out) {
        float[] factors = ((FloatMatrix) weight).values()[0];
        for (int t = 0; t < x.rows(); t++) {
            double squares = 0;
            for (float value : Linear.row((FloatTensor) x, t)) {
                squares += (double) value * value;
            }
            double inverse = 1 / Math.sqrt(squares / x.columns() + epsilon);
            for (int c = 0; c < x.columns(); c++) {
                ((FloatTensor) out).set(t, c, (float) (((FloatTensor) x).at(t, c) * inverse) * factors[c]);
            }
        }
    }

    @Override
    public void project(Tensor x, Matrix weight, Tensor out) {
        for (int t = 0; t < x.rows(); t++) {
            float[] product = linear.apply(Linear.row((FloatTensor) x, t), (FloatMatrix) weight);
            System.arraycopy(product, 0, ((FloatTensor) out).values(), t * out.columns(), product.length);
        }
    }

    @Override
    public void projectAdd(Tensor x, Matrix weight, Tensor residual) {
        for (int t = 0; t < x.rows(); t++) {
            add(linear.apply(Linear.row((FloatTensor) x, t), (FloatMatrix) weight), 1, (FloatTensor) residual, t);
        }
    }

    @Override
    public void ropeAndStore(
            Batch batch, Rope rope, Tensor query, Tensor key, Tensor value, KvCache cache, int layer) {
        for (int s = 0; s < batch.sequences(); s++) {
            for (int t = batch.offsets()[s]; t < batch.offsets()[s + 1]; t++) {
                int position = batch.positions()[t];
                Attention.rotate((FloatTensor) query, t, position, rope);
                Attention.rotate((FloatTensor) key, t, position, rope);
                int slot = FloatKvCache.slot(batch.blockTables()[s], position);
                Attention.store((FloatTensor) key, (FloatTensor) value, t, slot, (FloatKvCache) cache, layer);
            }
        }
    }

    @Override
    public void attend(Batch batch, Tensor query, KvCache cache, int layer, Tensor out) {
        for (int s = 0; s < batch.sequences(); s++) {
            for (int t = batch.offsets()[s]; t < batch.offsets()[s + 1]; t++) {
                Attention.attend(batch, s, t, (FloatTensor) query, (FloatKvCache) cache, layer, (FloatTensor) out);
            }
        }
    }

    @Override
    public void route(Tensor x, Matrix router, Routing out) {
        for (int t = 0; t < x.rows(); t++) {
            float[] probabilities = linear.apply(Linear.row((FloatTensor) x, t), (FloatMatrix) router);
            Softmax.apply(probabilities);
            choose(probabilities, ((ChosenExperts) out).ids()[t], ((ChosenExperts) out).weights()[t]);
        }
    }

    private static void choose(float[] probabilities, int[] ids, float[] weights) {
        float sum = 0;
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
                float[] output = expert(Linear.row((FloatTensor) x, t), experts, chosen.ids()[t][k]);
                add(output, chosen.weights()[t][k], (FloatTensor) residual, t);
            }
        }
    }

    private float[] expert(float[] x, Experts experts, int expert) {
        float[] gate = linear.apply(x, (FloatMatrix) experts.gate().get(expert));
        float[] up = linear.apply(x, (FloatMatrix) experts.up().get(expert));
        for (int i = 0; i < gate.length; i++) {
            gate[i] = (float) (gate[i] / (1 + Math.exp(-gate[i]))) * up[i];
        }
        return linear.apply(gate, (FloatMatrix) experts.down().get(expert));
    }

    private static void add(float[] values, float factor, FloatTensor residual, int t) {
        for (int c = 0; c < values.length; c++) {
            residual.add(t, c, factor * values[c]);
        }
    }

    @Override
    public void gather(Tensor x, int[] rows, Tensor out) {
        for (int i = 0; i < rows.length; i++) {
            float[] row = Linear.row((FloatTensor) x, rows[i]);
            System.arraycopy(row, 0, ((FloatTensor) out).values(), i * out.columns(), row.length);
        }
    }

    @Override
    public void read(Tensor x, int row, float[] out) {
        System.arraycopy(((FloatTensor) x).values(), row * x.columns(), out, 0, x.columns());
    }

    @Override
    public void close() {}
}
