package io.moebius.backend.reference;

/** OCP FP8 E4M3FN (Micikevicius et al. 2022): sign, 4 exponent bits with bias 7, 3 mantissa bits. */
final class E4m3 {

    static final double MAX = 448;

    private E4m3() {}

    static double decode(byte code) {
        int exponent = code >> 3 & 15;
        int mantissa = code & 7;
        double sign = code < 0 ? -1 : 1;
        if (exponent == 15 && mantissa == 7) {
            return Double.NaN;
        }
        return exponent == 0
                ? sign * Math.scalb((double) mantissa, -9)
                : sign * Math.scalb(1 + mantissa / 8.0, exponent - 7);
    }

    /** The nearest value that e4m3 can hold, ties to even, saturated at 448. */
    static double round(double x) {
        if (Double.isNaN(x)) {
            return x;
        }
        double clamped = Math.clamp(x, -MAX, MAX);
        int exponent = Math.max(Math.getExponent(clamped), -6);
        double step = Math.scalb(1.0, exponent - 3);
        return Math.rint(clamped / step) * step;
    }
}
