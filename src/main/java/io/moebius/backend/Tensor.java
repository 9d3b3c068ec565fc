package io.moebius.backend;

/** Activations [rows, columns], row-major, in the memory of the backend that made them and in its arithmetic. */
public interface Tensor {

    int rows();

    int columns();

    /** The first {@code count} rows, sharing this tensor's memory. */
    Tensor first(int count);

    /** The same numbers in rows of another length, sharing this tensor's memory. */
    Tensor reshape(int rows, int columns);
}
