package io.moebius.backend;

/** Codes of the small float formats: to the nearest, ties to even. */
public final class FloatCodes {

    private static final int NAN = 0x7f;

    private FloatCodes() {}

    public static short bFloat16(float x) {
        int bits = Float.floatToRawIntBits(x);
        return (short) (Float.isNaN(x) ? 0x7fc0 : bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }

    /** OCP FP8 E4M3FN, saturated at 448. */
    public static byte e4m3(float x) {
        int sign = Float.floatToRawIntBits(x) >>> 24 & 0x80;
        if (Float.isNaN(x)) {
            return (byte) (sign | NAN);
        }
        float magnitude = Math.min(Math.abs(x), 448);
        if (magnitude < 0x1p-6f) {
            return (byte) (sign | (int) Math.rint(magnitude * 512));
        }
        int bits = Float.floatToRawIntBits(magnitude);
        int rounded = bits + 0x7ffff + (bits >> 20 & 1) >> 20;
        return (byte) (sign | rounded - (127 - 7 << 3));
    }

    /** The exponent's bias is 7 instead of 127; the only other exception is that all ones are no number. */
    public static float fromE4m3(byte code) {
        if ((code & NAN) == NAN) {
            return Float.NaN;
        }
        return Float.intBitsToFloat((code & 0x80) << 24 | (code & 0x7f) << 20) * 0x1p120f;
    }
}
