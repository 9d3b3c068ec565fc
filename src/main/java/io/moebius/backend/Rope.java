package io.moebius.backend;

import java.util.Arrays;

/**
 * Rotary position embedding (Su et al. 2021): at position p the pair (i, i + headDim / 2) of a head turns by p * frequencies[i] and grows
 * by {@code factor}.
 *
 * @param frequencies radians per position, [headDim / 2]; two are the same if they are one array
 */
public record Rope(double[] frequencies, double factor) {

    /** Frequencies theta^(-2i / headDim), and no growth. */
    public static Rope of(int headDim, double theta) {
        double[] frequencies = new double[headDim / 2];
        Arrays.setAll(frequencies, i -> Math.pow(theta, -2.0 * i / headDim));
        return new Rope(frequencies, 1);
    }

    public int headDim() {
        return 2 * frequencies.length;
    }
}
