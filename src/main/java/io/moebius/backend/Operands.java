package io.moebius.backend;

/** What kernel calls demand of their operands, for backends whose kernels trust them. Each throws IllegalArgumentException. */
public final class Operands {

    private Operands() {}

    public static void shape(Tensor tensor, int rows, int columns) {
        require(tensor.rows() == rows && tensor.columns() == columns, "activations [%d, %d], expected [%d, %d]"
                .formatted(tensor.rows(), tensor.columns(), rows, columns));
    }

    public static void shape(Matrix matrix, int rows, int columns) {
        require(matrix.rows() == rows && matrix.columns() == columns, "matrix [%d, %d], expected [%d, %d]"
                .formatted(matrix.rows(), matrix.columns(), rows, columns));
    }

    public static void layer(int layer, KvCache.Shape shape) {
        require(layer >= 0 && layer < shape.layers(), "layer " + layer + " of " + shape.layers());
    }

    public static void row(int row, Tensor tensor) {
        require(row >= 0 && row < tensor.rows(), "row " + row + " of " + tensor.rows());
    }

    public static void route(Tensor x, Matrix router, Routing out) {
        shape(router, router.rows(), x.columns());
        require(out.topK() <= router.rows(), out.topK() + " of " + router.rows() + " experts");
        routed(x, out);
    }

    public static void experts(Tensor x, Routing routing, Experts experts, Tensor residual) {
        routed(x, routing);
        shape(residual, x.rows(), x.columns());
        int ffn = experts.gate().getFirst().rows();
        for (int e = 0; e < experts.count(); e++) {
            shape(experts.gate().get(e), ffn, x.columns());
            shape(experts.up().get(e), ffn, x.columns());
            shape(experts.down().get(e), x.columns(), ffn);
        }
    }

    private static void routed(Tensor x, Routing routing) {
        require(x.rows() <= routing.tokens(), x.rows() + " tokens, room for " + routing.tokens());
    }

    public static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
