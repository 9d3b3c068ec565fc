package io.moebius.backend;

/** Element types a weight may have in memory. */
public enum DType {
    F32(4),
    F16(2),
    BF16(2),
    /** OCP FP8 E4M3FN: 4 exponent bits, 3 mantissa bits, largest finite value 448, no infinities. */
    E4M3(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    public int bytes() {
        return bytes;
    }
}
