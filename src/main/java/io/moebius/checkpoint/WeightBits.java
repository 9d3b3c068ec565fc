package io.moebius.checkpoint;

/** What linear layers become while loading. */
public enum WeightBits {
    /** bfloat16; FP8 is dequantised, float32 rounded. */
    SIXTEEN(16),
    /** e4m3 with a scale per row; inputs are scaled per token where activations are 8-bit. */
    EIGHT(8),
    /** Integers -8 to 7 with a scale per group of 32 columns, weights only. */
    FOUR(4);

    private final int bits;

    WeightBits(int bits) {
        this.bits = bits;
    }

    int bits() {
        return bits;
    }
}
