package io.moebius.backend.reference;

import io.moebius.backend.Tensor;

/** Activations on the Java heap. */
record FloatTensor(float[] values, int rows, int columns) implements Tensor {

    FloatTensor(int rows, int columns) {
        this(new float[Math.multiplyExact(rows, columns)], rows, columns);
    }

    @Override
    public FloatTensor first(int count) {
        if (count > rows) {
            throw new IllegalArgumentException("first " + count + " of " + rows + " rows");
        }
        return new FloatTensor(values, count, columns);
    }

    float at(int row, int column) {
        return values[row * columns + column];
    }

    void set(int row, int column, float value) {
        values[row * columns + column] = value;
    }

    void add(int row, int column, float value) {
        values[row * columns + column] += value;
    }
}
