package io.moebius.backend.cuda;

/** A result that is computed when somebody needs it, and in the format in which he does. */
sealed interface Deferred {

    int rows();

    int columns();

    boolean reads(ActivationBuffer buffer);

    /** RMSNorm of each row of source. */
    record Normed(CudaTensor source, CudaMatrix weight, double epsilon) implements Deferred {
        @Override
        public int rows() {
            return source.rows();
        }

        @Override
        public int columns() {
            return source.columns();
        }

        @Override
        public boolean reads(ActivationBuffer buffer) {
            return source.buffer() == buffer;
        }
    }

    /**
     * x * transpose(weight) + bias, and then an RMSNorm of each head.
     *
     * @param bias     null for none
     * @param headNorm weights [headDim]; null for none
     */
    record Product(CudaTensor x, CudaMatrix weight, CudaMatrix bias, CudaMatrix headNorm, double epsilon) implements Deferred {

        Product(CudaTensor x, CudaMatrix weight) {
            this(x, weight, null, null, 0);
        }

        Product plus(CudaMatrix bias) {
            return new Product(x, weight, bias, headNorm, epsilon);
        }

        Product normed(CudaMatrix heads, double epsilon) {
            return new Product(x, weight, bias, heads, epsilon);
        }

        boolean plain() {
            return bias == null && headNorm == null;
        }

        @Override
        public int rows() {
            return x.rows();
        }

        @Override
        public int columns() {
            return weight.rows();
        }

        @Override
        public boolean reads(ActivationBuffer buffer) {
            return x.buffer() == buffer;
        }
    }

    /** silu(x * transpose(gate)) * (x * transpose(up)). */
    record Gated(CudaTensor x, CudaMatrix gate, CudaMatrix up) implements Deferred {
        @Override
        public int rows() {
            return x.rows();
        }

        @Override
        public int columns() {
            return gate.rows();
        }

        @Override
        public boolean reads(ActivationBuffer buffer) {
            return x.buffer() == buffer;
        }
    }

    /** Attention of a step's rotated queries. */
    record Attended(StepInputs.Uploaded batch, Rotated query, CudaKvCache cache, int layer) implements Deferred {
        @Override
        public int rows() {
            return batch.size();
        }

        @Override
        public int columns() {
            return query.columns();
        }

        @Override
        public boolean reads(ActivationBuffer buffer) {
            return false;
        }
    }

    /** Queries that lie rotated and padded where the next layer's will lie, too; good for attention alone. */
    record Rotated(long address, int rows, int columns) implements Deferred {
        @Override
        public boolean reads(ActivationBuffer buffer) {
            return false;
        }
    }
}
