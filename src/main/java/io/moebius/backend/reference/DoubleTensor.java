package io.moebius.backend.reference;

import io.moebius.backend.Tensor;

/** Activations in float64 on the Java heap. */
record DoubleTensor(double[] values, int rows, int columns) implements Tensor {

    DoubleTensor(int rows, int columns) {
        this(new double[Math.multiplyExact(rows, columns)], rows, columns);
    }

    @Override
    public DoubleTensor first(int count) {
        if (count > rows) {
            throw new IllegalArgumentException("first " + count + " of " + rows + " rows");
        }
        return new DoubleTensor(values, count, columns);
    }

    @Override
    public DoubleTensor reshape(int rows, int columns) {
        if ((long) rows * columns != (long) this.rows * this.columns) {
            throw new IllegalArgumentException(
                    "[%d, %d] as [%d, %d]".formatted(this.rows, this.columns, rows, columns));
        }
        return new DoubleTensor(values, rows, columns);
    }

    double at(int row, int column) {
        return values[row * columns + column];
    }

    void set(int row, int column, double value) {
        values[row * columns + column] = value;
    }

    void add(int row, int column, double value) {
        values[row * columns + column] += value;
    }
}
