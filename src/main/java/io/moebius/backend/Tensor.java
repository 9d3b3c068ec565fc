package io.moebius.backend;

/** Float32 activations [rows, columns], row-major, in the memory of the backend that made them. */
public interface Tensor {

    int rows();

    int columns();

    /** The first {@code count} rows, sharing this tensor's memory. */
    Tensor first(int count);
}
