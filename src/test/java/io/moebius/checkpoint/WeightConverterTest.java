package io.moebius.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.DType;
import io.moebius.backend.FloatCodes;
import io.moebius.backend.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** Codes and scales, bit for bit, are those of the definitions, written out group by group and value by value. */
class WeightConverterTest {

    private static final int ROWS = 70;
    private static final int COLUMNS = 5 * DType.INT4_GROUP + 7;
    private static final float[] PLACES = {-8.8f, -8.4f, -8, -7.6f, -7.2f, 7, 7.4f};
    private static final float[] AWKWARD = {
        0, -0f, 1, -1, 7.5f, -8.5f, 0.5f, 448, -448, 464, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MIN_NORMAL, 0x1p-9f, 0x1.8p-9f, 0x1p-10f,
        Float.MAX_VALUE, -Float.MAX_VALUE, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY
    };

    private static Weight weight(IntFunction<float[]> row) {
        MemorySegment data = Arena.ofAuto().allocate(4L * ROWS * COLUMNS, 64);
        for (int r = 0; r < ROWS; r++) {
            data.asSlice(4L * r * COLUMNS, 4L * COLUMNS).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(row.apply(r));
        }
        return Weight.plain("w", DType.F32, ROWS, COLUMNS, data);
    }

    /** Each row of another size, some with numbers that are their own largest twice, some with everything that is awkward. */
    private static Weight awkward() {
        Random random = new Random(9);
        return weight(r -> {
            float[] row = new float[COLUMNS];
            for (int c = 0; c < COLUMNS; c++) {
                row[c] = switch (r % 5) {
                    case 0 -> (float) random.nextGaussian() * (float) Math.pow(10, r - 35);
                    case 1 -> random.nextInt(-16, 17) / 2f;
                    case 2 -> random.nextInt(4) == 0 ? AWKWARD[random.nextInt(AWKWARD.length - 3)] : (float) random.nextGaussian();
                    case 3 -> random.nextInt(99) == 0 ? AWKWARD[random.nextInt(AWKWARD.length)] : Float.intBitsToFloat(random.nextInt() & 0xffff0000);
                    default -> random.nextInt(40) - 20 == c % 7 ? 0 : Float.MIN_VALUE * random.nextInt(-20, 20);
                };
            }
            return row;
        });
    }

    private static byte[] bytes(Weight weight, int row) {
        long rowBytes = weight.dtype().rowBytes(weight.columns());
        return weight.data().asSlice(row * rowBytes, rowBytes).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Which Java does not define: it follows from the instructions that compute it. */
    private static byte[] withoutSignsOfNan(byte[] codes) {
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (codes[i] & 0x7f) == 0x7f ? 0x7f : codes[i];
        }
        return codes;
    }

    @Test
    void e4m3IsEachValueOverTheRowsLargestOver448() {
        Weight original = awkward();
        Weight converted = WeightConverter.toE4m3(original);
        for (int r = 0; r < ROWS; r++) {
            float[] row = original.row(r);
            float largest = 0;
            for (float value : row) {
                largest = Math.max(largest, Math.abs(value));
            }
            float scale = Math.max(largest / 448, Float.MIN_NORMAL);
            assertThat(converted.scales().values()[r]).isEqualTo(Float.valueOf(scale));
            byte[] expected = new byte[COLUMNS];
            for (int c = 0; c < COLUMNS; c++) {
                expected[c] = FloatCodes.e4m3(row[c] / scale);
            }
            assertThat(withoutSignsOfNan(bytes(converted, r))).as("row %d", r).isEqualTo(withoutSignsOfNan(expected));
        }
    }

    @Test
    void int4IsTheBestOfSevenScalesFittedToItsCodes() {
        Weight original = awkward();
        Weight converted = WeightConverter.toInt4(original);
        int groups = Math.ceilDiv(COLUMNS, DType.INT4_GROUP);
        for (int r = 0; r < ROWS; r++) {
            float[] row = original.row(r);
            byte[] packed = bytes(converted, r);
            for (int g = 0; g < groups; g++) {
                int[] codes = new int[DType.INT4_GROUP];
                float scale = quantize(Arrays.copyOfRange(row, g * DType.INT4_GROUP, Math.min(COLUMNS, (g + 1) * DType.INT4_GROUP)), codes);
                assertThat(converted.scales().values()[r * groups + g]).as("row %d, group %d", r, g).isEqualTo(scale);
                int[] actual = new int[DType.INT4_GROUP];
                for (int i = 0; i < 16; i++) {
                    actual[i] = (packed[g * 16 + i] & 15) - 8;
                    actual[i + 16] = (packed[g * 16 + i] >> 4 & 15) - 8;
                }
                assertThat(actual).as("row %d, group %d", r, g).isEqualTo(codes);
            }
        }
    }

    private static float quantize(float[] group, int[] codes) {
        float largest = 0;
        for (float value : group) {
            largest = Math.abs(value) > Math.abs(largest) ? value : largest;
        }
        float best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (float place : PLACES) {
            int[] tried = new int[codes.length];
            double dot = 0;
            double squares = 0;
            for (int i = 0; i < group.length; i++) {
                tried[i] = largest == 0 ? 0 : (int) Math.clamp((float) Math.rint(group[i] / largest * place), -8f, 7f);
                dot += group[i] * (double) tried[i];
                squares += tried[i] * tried[i];
            }
            double error = squares == 0 ? 0 : -dot * dot / squares;
            if (error < least) {
                least = error;
                best = squares == 0 ? 0 : (float) (dot / squares);
                System.arraycopy(tried, 0, codes, 0, codes.length);
            }
        }
        return best;
    }
}
