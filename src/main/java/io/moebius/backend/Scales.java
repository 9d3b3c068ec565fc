package io.moebius.backend;

/**
 * Dequantisation factors of a matrix [rows, columns], one for each block of blockRows x blockColumns elements, row-major:
 * element (r, c) is code(r, c) * values[(r / blockRows) * ceil(columns / blockColumns) + c / blockColumns].
 * A tensor scale is one block as large as the matrix, a channel scale a block of one row.
 */
public record Scales(float[] values, int blockRows, int blockColumns) {

    public static Scales perTensor(float value, int rows, int columns) {
        return new Scales(new float[] {value}, rows, columns);
    }

    public static Scales perRow(float[] values, int columns) {
        return new Scales(values, 1, columns);
    }

    /** The factor of element (row, column) of a matrix with {@code columns} columns. */
    public float at(int row, int column, int columns) {
        return values[row / blockRows * Math.ceilDiv(columns, blockColumns) + column / blockColumns];
    }
}
