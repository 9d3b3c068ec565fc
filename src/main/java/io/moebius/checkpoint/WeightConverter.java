package io.moebius.checkpoint;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.DType;
import io.moebius.backend.FloatCodes;
import io.moebius.backend.Scales;
import io.moebius.backend.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/** Weights in another element type, in memory of their own that lives as long as it is reachable; rows are shared out among threads. */
final class WeightConverter {

    private static final float E4M3_MAX = 448;

    private interface RowEncoder {
        void encode(int row, float[] values, ByteBuffer out);
    }

    private WeightConverter() {}

    static Weight toBFloat16(Weight weight) {
        MemorySegment data = encoded(weight, DType.BF16, (row, values, out) -> {
            for (float value : values) {
                out.putShort(FloatCodes.bFloat16(value));
            }
        });
        return Weight.plain(weight.name(), DType.BF16, weight.rows(), weight.columns(), data);
    }

    /** One scale per row, amax / 448. */
    static Weight toE4m3(Weight weight) {
        float[] scales = new float[weight.rows()];
        MemorySegment data = encoded(weight, DType.E4M3, (row, values, out) -> {
            float largest = 0;
            for (float value : values) {
                largest = Math.max(largest, Math.abs(value));
            }
            float scale = Math.max(largest / E4M3_MAX, Float.MIN_NORMAL);
            scales[row] = scale;
            for (float value : values) {
                out.put(FloatCodes.e4m3(value / scale));
            }
        });
        return new Weight(weight.name(), DType.E4M3, weight.rows(), weight.columns(), data,
                Scales.perRow(scales, weight.columns()), new ActivationQuantization.PerToken());
    }

    static Weight toInt4(Weight weight) {
        int groups = Math.ceilDiv(weight.columns(), DType.INT4_GROUP);
        float[] scales = new float[Math.multiplyExact(weight.rows(), groups)];
        MemorySegment data = encoded(weight, DType.INT4, (row, values, out) -> {
            Int4Group group = new Int4Group();
            for (int g = 0; g < groups; g++) {
                scales[row * groups + g] = group.quantize(values, g * DType.INT4_GROUP);
                group.put(out);
            }
        });
        return new Weight(weight.name(), DType.INT4, weight.rows(), weight.columns(), data,
                new Scales(scales, 1, DType.INT4_GROUP), new ActivationQuantization.None());
    }

    private static MemorySegment encoded(Weight weight, DType type, RowEncoder encoder) {
        long rowBytes = type.rowBytes(weight.columns());
        MemorySegment data = Arena.ofAuto().allocate(Math.max(1, weight.rows() * rowBytes), 64);
        IntStream.range(0, weight.rows()).parallel().forEach(row -> encoder.encode(
                row, weight.row(row), data.asSlice(row * rowBytes, rowBytes).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN)));
        return data;
    }
}
