package io.moebius.backend.cuda;

/** Norms, products and gates that are computed when their result is read. */
final class DeferredCalls {

    private final Evaluation evaluation;

    DeferredCalls(Evaluation evaluation) {
        this.evaluation = evaluation;
    }

    /** In place it is the norm of a product's heads, which the rotation computes, or is done at once. */
    void rmsNorm(CudaTensor x, CudaMatrix weight, double epsilon, ActivationBuffer out) {
        if (x.buffer() != out) {
            evaluation.overwrite(out);
            out.defer(new Deferred.Normed(x, weight, epsilon), x.buffer());
        } else if (out.deferred instanceof Deferred.Product product && !out.computed() && product.columns() != x.columns()) {
            out.deferred = product.normed(weight, epsilon);
        } else {
            evaluation.normInPlace(x, weight, epsilon);
        }
    }

    void project(CudaTensor x, CudaMatrix weight, ActivationBuffer out) {
        evaluation.overwrite(out);
        out.defer(new Deferred.Product(x, weight), x.buffer());
    }

    /** To a product that nobody has read, which then has it, or at once. */
    void addBias(CudaTensor x, CudaMatrix bias) {
        ActivationBuffer buffer = x.buffer();
        if (buffer.deferred instanceof Deferred.Product product && !buffer.computed()) {
            buffer.deferred = product.plus(bias);
        } else {
            evaluation.addBias(x, bias);
        }
    }

    /** Of two products of the same input that nobody has read. */
    void swiGlu(ActivationBuffer gate, ActivationBuffer up) {
        if (!(gate.deferred instanceof Deferred.Product first && up.deferred instanceof Deferred.Product second)
                || !first.plain() || !second.plain() || !first.x().equals(second.x())) {
            throw new IllegalArgumentException("only two products of the same input can be gated, before they are read");
        }
        gate.defer(new Deferred.Gated(first.x(), first.weight(), second.weight()), first.x().buffer());
    }
}
