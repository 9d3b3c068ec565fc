package io.moebius.backend.cuda;

/** Device memory that steps will allocate when they first need it, at most: the KV cache must leave it free. */
final class Reserve {

    /** Float32, bf16, and codes with their scales. */
    private static final int BYTES_PER_ELEMENT = 4 + 2 + 2;

    /** The driver's, for recorded steps. */
    private static final long GRAPHS = 64L << 20;

    private long elements;
    private long tables;
    private long sortedRows;
    private int widest;

    void activations(int rows, int columns) {
        elements += (long) rows * columns;
    }

    void routing(int tokens, int topK) {
        sortedRows = Math.max(sortedRows, (long) tokens * topK);
    }

    /** Looked up, and packed too where a model compares tokens with it. */
    void table(int rows, int columns) {
        tables += 2L * Short.BYTES * rows * columns;
    }

    /** @param rows of an expert's matrix */
    void experts(int rows) {
        widest = Math.max(widest, rows);
    }

    long bytes() {
        return AttentionKernels.MOST_PARTIAL_BYTES + WeightUpload.STAGING_BYTES + GRAPHS + tables
                + BYTES_PER_ELEMENT * (elements + sortedRows * widest);
    }
}
