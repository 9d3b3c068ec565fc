package io.moebius.checkpoint;

import io.moebius.backend.DType;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** The codes of one group: of the scales tried, those with the least squared error, the scale then fitted to the codes. */
final class Int4Group {

    /** Where the largest value lies on the scale of -8 to 7; a little beyond the end, it is clamped and the others are finer. */
    private static final float[] PLACES = {-8.8f, -8.4f, -8, -7.6f, -7.2f, 7, 7.4f};

    private final int[] codes = new int[DType.INT4_GROUP];
    private final int[] tried = new int[DType.INT4_GROUP];

    /** Quantises the group from {@code begin}, which may be cut off by the end of the row; returns its scale. */
    float quantize(float[] values, int begin) {
        int count = Math.min(DType.INT4_GROUP, values.length - begin);
        float largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.abs(values[begin + i]) > Math.abs(largest) ? values[begin + i] : largest;
        }
        float best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (float place : PLACES) {
            double dot = 0;
            double squares = 0;
            for (int i = 0; i < count; i++) {
                float code = largest == 0 ? 0 : (float) Math.rint(values[begin + i] / largest * place);
                tried[i] = (int) Math.clamp(code, -8f, 7f);
                dot += values[begin + i] * (double) tried[i];
                squares += tried[i] * tried[i];
            }
            // The squared error of the best scale for these codes, dot / squares, but for a constant.
            double error = squares == 0 ? 0 : -dot * dot / squares;
            if (error < least) {
                least = error;
                best = squares == 0 ? 0 : (float) (dot / squares);
                System.arraycopy(tried, 0, codes, 0, count);
            }
        }
        Arrays.fill(codes, count, codes.length, 0);
        return best;
    }

    /** Byte i: codes i and i + 16, each plus 8, the former in the lower half. */
    void put(ByteBuffer out) {
        int half = DType.INT4_GROUP / 2;
        for (int i = 0; i < half; i++) {
            out.put((byte) (codes[i] + 8 | codes[i + half] + 8 << 4));
        }
    }
}
