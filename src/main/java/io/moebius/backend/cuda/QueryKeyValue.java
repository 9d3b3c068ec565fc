package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization.None;
import io.moebius.backend.Rope;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Multiplies query, key and value side by side, as one product where their weights can be joined, and rotates and stores them. */
final class QueryKeyValue {

    private final InputFormats formats;
    private final Evaluation evaluation;
    private final Products products;
    private final AttentionKernels attention;
    private final JoinedWeights joined;

    QueryKeyValue(InputFormats formats, Evaluation evaluation, Products products, AttentionKernels attention, JoinedWeights joined) {
        this.formats = formats;
        this.evaluation = evaluation;
        this.products = products;
        this.attention = attention;
        this.joined = joined;
    }

    /** @param parts query, key and value; products as a rule */
    void rotate(StepInputs.Uploaded batch, Rope rope, List<CudaTensor> parts, CudaKvCache cache, int layer) {
        int width = parts.stream().mapToInt(CudaTensor::columns).sum();
        long qkv = attention.qkv(batch.size(), width);
        List<Deferred.Product> made = new ArrayList<>();
        for (CudaTensor part : parts) {
            made.add(part.buffer().deferred instanceof Deferred.Product product && !part.buffer().computed() ? product : null);
        }
        if (!multiplyTogether(made, qkv, width)) {
            long at = qkv;
            for (int i = 0; i < parts.size(); i++) {
                CudaTensor part = parts.get(i);
                if (made.get(i) != null) {
                    evaluation.multiply(made.get(i).x(), made.get(i).weight(), new Products.Output(at, width, CudaKernels.STORE_BF16));
                } else {
                    attention.place(evaluation.operand(part, new None()), at, part.rows(), part.columns(), width);
                }
                at += 2L * part.columns();
            }
        }
        Deferred.Rotated rotated = attention.rotateAndStore(batch, rotation(made, rope, parts.getFirst().columns()), qkv, cache, layer);
        for (CudaTensor part : parts) {
            evaluation.overwrite(part.buffer());
        }
        parts.getFirst().buffer().deferred = rotated;
    }

    /** As one product, where all are of the same input and their weights can be joined. */
    private boolean multiplyTogether(List<Deferred.Product> made, long out, int width) {
        Deferred.Product first = made.getFirst();
        if (first == null || !made.stream().allMatch(product -> product != null && product.x().equals(first.x()))) {
            return false;
        }
        Optional<PackedWeights> weights = joined.of(made.stream().map(Deferred.Product::weight).toList());
        weights.ifPresent(all -> products.run(
                evaluation.operand(first.x(), formats.of(all.inputs(), all)), all, null, Products.Rows.dense(first.rows()),
                new Products.Output(out, width, CudaKernels.STORE_BF16),
                new Products.Naming("project", "query, key and value", first.weight().name())));
        return weights.isPresent();
    }

    private AttentionKernels.Rotation rotation(List<Deferred.Product> made, Rope rope, int queryWidth) {
        CudaMatrix[] biases = made.stream().map(product -> product == null ? null : product.bias()).toArray(CudaMatrix[]::new);
        Deferred.Product query = made.get(0);
        Deferred.Product key = made.get(1);
        return new AttentionKernels.Rotation(
                rope, queryWidth / rope.headDim(), attention.biases(biases), headNorm(query), headNorm(key),
                query == null ? 0 : query.epsilon());
    }

    private static long headNorm(Deferred.Product product) {
        return product == null || product.headNorm() == null ? 0 : product.headNorm().vector();
    }
}
