package io.moebius.backend.cpu;

import io.moebius.backend.Tensor;

/** Float32 activations in native memory. */
record CpuTensor(long address, int rows, int columns) implements Tensor {

    @Override
    public CpuTensor first(int count) {
        if (count < 0 || count > rows) {
            throw new IllegalArgumentException("first " + count + " of " + rows + " rows");
        }
        return new CpuTensor(address, count, columns);
    }

    @Override
    public CpuTensor reshape(int rows, int columns) {
        if ((long) rows * columns != (long) this.rows * this.columns) {
            throw new IllegalArgumentException(
                    "[%d, %d] as [%d, %d]".formatted(this.rows, this.columns, rows, columns));
        }
        return new CpuTensor(address, rows, columns);
    }

    long rowAddress(int row) {
        if (row < 0 || row >= rows) {
            throw new IllegalArgumentException("row " + row + " of " + rows);
        }
        return address + (long) row * columns * Float.BYTES;
    }
}
