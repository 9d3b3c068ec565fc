package io.moebius.backend.cuda;

/**
 * Rows of numbers as a kernel reads them.
 *
 * @param type         bf16 or e4m3
 * @param pitch        elements from row to row; zeros from the row's end on
 * @param scales       factors by row and block of columns; 0: none
 * @param scaleRows    rows that share a factor
 * @param scaleColumns columns that share a factor
 */
record Operand(long address, int type, long pitch, long scales, int scaleRows, int scaleColumns) {

    /** Bytes of a row, in whole units of packed weights. */
    static long pitch(int columns) {
        return Math.ceilDiv((long) columns, KernelLayout.UNIT_ROW_BYTES) * KernelLayout.UNIT_ROW_BYTES;
    }

    static Operand bf16(long address, long pitch) {
        return new Operand(address, CudaKernels.BF16, pitch, 0, 1, 1);
    }

    long pitchBytes() {
        return type == CudaKernels.E4M3 ? pitch : 2 * pitch;
    }
}
