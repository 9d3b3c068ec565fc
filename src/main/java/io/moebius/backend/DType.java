package io.moebius.backend;

/** Element types a weight may have in memory. */
public enum DType {
    F32(4),
    F16(2),
    BF16(2),
    /** OCP FP8 E4M3FN: 4 exponent bits, 3 mantissa bits, largest finite value 448, no infinities. */
    E4M3(1),
    /** Integers -8 to 7: each {@link #INT4_GROUP} of a row in half as many bytes; byte i holds i and i + 16, plus 8, low half first. */
    INT4(0);

    /** Elements that share a scale, and 16 bytes. */
    public static final int INT4_GROUP = 32;

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Of one element; 0 for INT4, see {@link #rowBytes}. */
    public int bytes() {
        return bytes;
    }

    public long rowBytes(int columns) {
        return this == INT4 ? Math.ceilDiv(columns, INT4_GROUP) * (INT4_GROUP / 2L) : (long) columns * bytes;
    }
}
