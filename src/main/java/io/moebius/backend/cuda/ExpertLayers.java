package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Experts;
import io.moebius.backend.Matrix;
import java.util.List;
import java.util.stream.Stream;

/** Feed-forward networks of which each token goes through a few: two grouped products; the sum is left to the next norm. */
final class ExpertLayers {

    private final InputFormats formats;
    private final Evaluation evaluation;
    private final Products products;
    private final GatedWeights gatedWeights;

    ExpertLayers(InputFormats formats, Evaluation evaluation, Products products, GatedWeights gatedWeights) {
        this.formats = formats;
        this.evaluation = evaluation;
        this.products = products;
        this.gatedWeights = gatedWeights;
    }

    void run(CudaTensor x, CudaRouting routing, Experts experts, CudaTensor residual) {
        GatedWeights.Pair gated = gatedWeights.of(together(experts.gate()), together(experts.up()));
        PackedWeights down = together(experts.down()).getFirst().packed();
        finish(routing, x.columns());
        int chosen = x.rows() * routing.topK();
        long offsets = routing.offsets().atLeast(0);
        Products.Rows sorted = new Products.Rows(x.rows(), chosen, offsets, routing.sources(), routing.topK());
        Products.Rows within = new Products.Rows(x.rows(), chosen, offsets, 0, routing.topK());
        String weight = ((CudaMatrix) experts.gate().getFirst()).name();
        Operand rows = evaluation.operand(x, formats.of(
                Stream.concat(gated.gate().inputs().stream(), gated.up().inputs().stream()).toList(), gated.gate()));
        ActivationQuantization between = formats.of(down.inputs(), down);
        Operand inner = evaluation.gate(
                rows, gated, sorted, routing.inner().of(gated.gate().rows()), gated.gate().rows(), between,
                new Products.Naming("experts", "gate and up", weight));
        long outputs = routing.outputs().atLeast(2L * routing.tokens() * routing.topK() * x.columns());
        products.run(
                inner, down, null, within, new Products.Output(outputs, x.columns(), CudaKernels.STORE_BF16),
                new Products.Naming("experts", "down", ((CudaMatrix) experts.down().getFirst()).name()));
        evaluation.addLater(
                residual, new ActivationBuffer.Addend(outputs, routing.positions(), routing.weights(), routing.topK(), x.rows()));
        routing.expecting().residual = residual.buffer();
    }

    /** Adds the outputs of the last call where no norm has done it, before they are overwritten. */
    void finish(CudaRouting routing, int columns) {
        ActivationBuffer residual = routing.expecting().residual;
        if (residual != null) {
            evaluation.settleAddend(residual, columns);
            routing.expecting().residual = null;
        }
    }

    private static List<CudaMatrix> together(List<Matrix> experts) {
        List<CudaMatrix> matrices = experts.stream().map(CudaMatrix.class::cast).toList();
        PackedWeights packed = matrices.getFirst().packed();
        for (int i = 0; i < matrices.size(); i++) {
            CudaMatrix matrix = matrices.get(i);
            if (matrix.packed() != packed || matrix.index() != i || packed.count() != matrices.size()) {
                throw new IllegalArgumentException("experts must be loaded together, in their order; %s was not".formatted(matrix.name()));
            }
        }
        return matrices;
    }
}
