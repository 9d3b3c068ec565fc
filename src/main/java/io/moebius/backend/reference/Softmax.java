package io.moebius.backend.reference;

/** exp(x - max) / sum of exp(x - max), in place. */
final class Softmax {

    private Softmax() {}

    static void apply(float[] x) {
        float largest = Float.NEGATIVE_INFINITY;
        for (float value : x) {
            largest = Math.max(largest, value);
        }
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) Math.exp(x[i] - largest);
            sum += x[i];
        }
        for (int i = 0; i < x.length; i++) {
            x[i] /= (float) sum;
        }
    }
}
