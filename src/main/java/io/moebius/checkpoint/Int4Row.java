package io.moebius.checkpoint;

import io.moebius.backend.DType;
import java.util.Arrays;

/**
 * Quantises rows to groups of 4-bit integers: of the scales tried for a group, the one with the least squared error, then fitted to its
 * codes. All groups of a row go side by side, so that a compiler can take several at once; the sums of each are in the order of its elements.
 */
final class Int4Row {

    /** Where the largest value lies on the scale of -8 to 7; a little beyond the end, it is clamped and the others are finer. */
    private static final float[] PLACES = {-8.8f, -8.4f, -8, -7.6f, -7.2f, 7, 7.4f};
    private static final int HALF = DType.INT4_GROUP / 2;
    /** The last bit of a number added to it is worth 1. */
    private static final float ROUNDING = 0x1.8p23f;

    private final int groups;
    /** [element of a group][group]. */
    private final float[][] values;
    /** Of each value to its group's largest. */
    private final float[][] ratios;
    private final float[] largest;
    private final float[] codes;
    private final float[] upper;
    private final float[] squares;
    private final double[] dots;
    private final double[] least;
    private final float[] places;

    Int4Row(int columns) {
        groups = Math.ceilDiv(columns, DType.INT4_GROUP);
        values = new float[DType.INT4_GROUP][groups];
        ratios = new float[DType.INT4_GROUP][groups];
        largest = new float[groups];
        codes = new float[groups];
        upper = new float[groups];
        squares = new float[groups];
        dots = new double[groups];
        least = new double[groups];
        places = new float[groups];
    }

    /**
     * Group g has scale {@code scales[from + g]} and 16 bytes of {@code packed}: byte i has codes i and i + 16, each plus 8, the former in
     * the lower half. A group that holds infinities or NaN becomes zeros.
     */
    void quantize(float[] row, float[] scales, int from, byte[] packed) {
        spread(row);
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        Arrays.fill(places, 0);
        for (float place : PLACES) {
            tryPlace(place, scales, from);
        }
        for (int i = 0; i < HALF; i++) {
            round(ratios[i], places, codes);
            round(ratios[i + HALF], places, upper);
            pack(codes, upper, packed, i);
        }
    }

    /** The last group is filled up with zeros. */
    private void spread(float[] row) {
        for (int g = 0; g < groups; g++) {
            int begin = g * DType.INT4_GROUP;
            float most = 0;
            for (int i = 0; i < DType.INT4_GROUP; i++) {
                float value = begin + i < row.length ? row[begin + i] : 0;
                values[i][g] = value;
                most = Math.abs(value) > Math.abs(most) ? value : most;
            }
            largest[g] = most == 0 ? 1 : most;
        }
        for (int i = 0; i < DType.INT4_GROUP; i++) {
            divide(values[i], largest, ratios[i]);
        }
    }

    private void tryPlace(float place, float[] scales, int from) {
        Arrays.fill(dots, 0);
        Arrays.fill(squares, 0);
        for (int i = 0; i < DType.INT4_GROUP; i++) {
            roundAndSquare(ratios[i], place, codes, squares);
            addProducts(values[i], codes, dots);
        }
        for (int g = 0; g < groups; g++) {
            // The squared error of the best scale for these codes, dot / squares, but for a constant.
            double error = squares[g] == 0 ? 0 : -dots[g] * dots[g] / squares[g];
            if (error < least[g]) {
                least[g] = error;
                places[g] = place;
                scales[from + g] = squares[g] == 0 ? 0 : (float) (dots[g] / squares[g]);
            }
        }
    }

    private static void divide(float[] values, float[] divisors, float[] out) {
        for (int g = 0; g < out.length; g++) {
            out[g] = values[g] / divisors[g];
        }
    }

    private static void roundAndSquare(float[] ratios, float place, float[] codes, float[] squares) {
        for (int g = 0; g < codes.length; g++) {
            codes[g] = code(ratios[g] * place);
            squares[g] += codes[g] * codes[g];
        }
    }

    private static void round(float[] ratios, float[] places, float[] codes) {
        for (int g = 0; g < codes.length; g++) {
            codes[g] = code(ratios[g] * places[g]);
        }
    }

    private static void pack(float[] low, float[] high, byte[] packed, int from) {
        for (int g = 0; g < low.length; g++) {
            packed[g * HALF + from] = (byte) ((int) low[g] + 8 | (int) high[g] + 8 << 4);
        }
    }

    private static void addProducts(float[] values, float[] codes, double[] sums) {
        for (int g = 0; g < sums.length; g++) {
            sums[g] += (double) values[g] * codes[g];
        }
    }

    /** The nearest of -8 to 7, ties to even. */
    private static float code(float value) {
        return Math.max(-8, Math.min(7, value)) + ROUNDING - ROUNDING;
    }
}
