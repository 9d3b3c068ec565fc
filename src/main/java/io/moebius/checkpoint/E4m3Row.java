package io.moebius.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Quantises rows to e4m3, to the codes of {@link io.moebius.backend.FloatCodes#e4m3}. Each loop is one that a compiler turns into vector
 * instructions: no branches, and no change from float to its bits, which go through memory.
 */
final class E4m3Row {

    private static final float E4M3_MAX = 448;
    private static final int NAN = 0x7f;
    private static final int INFINITY = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);
    private static final int LARGEST = Float.floatToRawIntBits(E4M3_MAX);
    private static final float LEAST_NORMAL = 0x1p-6f;
    private static final int LEAST_NORMAL_BITS = Float.floatToRawIntBits(LEAST_NORMAL);
    /** The last bit of a number added to it is worth that of a subnormal code. */
    private static final float ROUNDING = 0x1p14f;
    private static final int ROUNDING_BITS = Float.floatToRawIntBits(ROUNDING);

    private final float[] quotients;
    private final int[] bits;
    private final int[] codes;
    private final FloatBuffer floats;
    private final IntBuffer ints;

    E4m3Row(int columns) {
        quotients = new float[columns];
        bits = new int[columns];
        codes = new int[columns];
        ByteBuffer memory = ByteBuffer.allocate(columns * Float.BYTES).order(ByteOrder.nativeOrder());
        floats = memory.asFloatBuffer();
        ints = memory.asIntBuffer();
    }

    /** Returns the row's scale, amax / 448. */
    float quantize(float[] row, byte[] out) {
        float scale = Math.max(largest(row) / E4M3_MAX, Float.MIN_NORMAL);
        divide(row, scale, quotients);
        toBits(quotients, bits);
        roundSubnormal(quotients);
        toBits(quotients, codes);
        addNormal(bits, codes);
        narrow(codes, out);
        return scale;
    }

    private void toBits(float[] values, int[] out) {
        floats.put(0, values);
        ints.get(0, out);
    }

    private static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static void divide(float[] values, float scale, float[] out) {
        for (int i = 0; i < out.length; i++) {
            out[i] = values[i] / scale;
        }
    }

    /** To the code of the subnormal part, in the last bits. */
    private static void roundSubnormal(float[] values) {
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.min(Math.abs(values[i]), LEAST_NORMAL) + ROUNDING;
        }
    }

    /** What is above the least normal number, rounded to the nearest with ties to even; the sign; and all ones for NaN. */
    private static void addNormal(int[] bits, int[] codes) {
        for (int i = 0; i < codes.length; i++) {
            int magnitude = bits[i] & Integer.MAX_VALUE;
            int normal = Math.max(Math.min(magnitude, LARGEST), LEAST_NORMAL_BITS);
            int above = (normal + 0x7ffff + (normal >> 20 & 1) >> 20) - (LEAST_NORMAL_BITS >> 20);
            codes[i] = bits[i] >>> 24 & 0x80 | above + codes[i] - ROUNDING_BITS & NAN | INFINITY - magnitude >> 31 & NAN;
        }
    }

    private static void narrow(int[] codes, byte[] out) {
        for (int i = 0; i < out.length; i++) {
            out[i] = (byte) codes[i];
        }
    }
}
