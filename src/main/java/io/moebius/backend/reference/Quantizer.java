package io.moebius.backend.reference;

import io.moebius.backend.ActivationQuantization;

/** Rounds the input of a linear layer to what e4m3 codes can hold: e4m3(clamp(x / scale)) * scale. */
final class Quantizer {

    private Quantizer() {}

    static double[] apply(double[] x, ActivationQuantization scheme) {
        return switch (scheme) {
            case ActivationQuantization.None() -> x;
            case ActivationQuantization.Static(float scale) -> quantize(x, 0, x.length, scale, x.clone());
            case ActivationQuantization.PerToken(float bound) -> quantizeGroups(x, x.length, bound);
            case ActivationQuantization.PerGroup(int channels) -> quantizeGroups(x, channels, Float.POSITIVE_INFINITY);
        };
    }

    private static double[] quantizeGroups(double[] x, int channels, float bound) {
        double[] out = x.clone();
        for (int start = 0; start < x.length; start += channels) {
            int end = Math.min(start + channels, x.length);
            double largest = 0;
            for (int i = start; i < end; i++) {
                largest = Math.max(largest, Math.abs(x[i]));
            }
            if (largest > 0) {
                quantize(x, start, end, Math.min(largest, bound) / E4m3.MAX, out);
            }
        }
        return out;
    }

    static double[] quantize(double[] x, int start, int end, double scale, double[] out) {
        for (int i = start; i < end; i++) {
            out[i] = E4m3.round(x[i] / scale) * scale;
        }
        return out;
    }
}
