package io.moebius.backend.cuda;

import io.moebius.backend.Tensor;

/** The first {@code rows} rows of a buffer. */
record CudaTensor(ActivationBuffer buffer, int rows, int columns) implements Tensor {

    @Override
    public CudaTensor first(int count) {
        if (count < 0 || count > rows) {
            throw new IllegalArgumentException("first " + count + " of " + rows + " rows");
        }
        return new CudaTensor(buffer, count, columns);
    }

    @Override
    public CudaTensor reshape(int rows, int columns) {
        if ((long) rows * columns != (long) this.rows * this.columns) {
            throw new IllegalArgumentException("[%d, %d] as [%d, %d]".formatted(this.rows, this.columns, rows, columns));
        }
        return new CudaTensor(buffer, rows, columns);
    }
}
