package io.moebius.backend.reference;

/** OCP FP8 E4M3FN (Micikevicius et al. 2022): sign, 4 exponent bits with bias 7, 3 mantissa bits. */
final class E4m3 {

    static final float MAX = 448f;

    private E4m3() {}

    static float decode(byte code) {
        int exponent = code >> 3 & 15;
        int mantissa = code & 7;
        float sign = code < 0 ? -1 : 1;
        if (exponent == 15 && mantissa == 7) {
            return Float.NaN;
        }
        return exponent == 0
                ? sign * Math.scalb((float) mantissa, -9)
                : sign * Math.scalb(1 + mantissa / 8f, exponent - 7);
    }

    /** The nearest value that e4m3 can hold, ties to even, saturated at 448. */
    static float round(float x) {
        if (Float.isNaN(x)) {
            return x;
        }
        float clamped = Math.clamp(x, -MAX, MAX);
        int exponent = Math.max(Math.getExponent(clamped), -6);
        float step = Math.scalb(1f, exponent - 3);
        return (float) Math.rint(clamped / step) * step;
    }
}
