package io.moebius.checkpoint;

/** Codes of the small float formats: nearest, ties to even. */
final class FloatCodes {

    private static final int NAN = 0x7f;

    private FloatCodes() {}

    static short bFloat16(float x) {
        int bits = Float.floatToRawIntBits(x);
        return (short) (Float.isNaN(x) ? 0x7fc0 : bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }

    /** OCP FP8 E4M3FN, saturated at 448. */
    static byte e4m3(float x) {
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

    static float fromE4m3(byte code) {
        int exponent = code >> 3 & 15;
        int mantissa = code & 7;
        float magnitude = (code & NAN) == NAN
                ? Float.NaN
                : exponent == 0 ? mantissa * 0x1p-9f : Float.intBitsToFloat(exponent + 127 - 7 << 23 | mantissa << 20);
        return code < 0 ? -magnitude : magnitude;
    }
}
