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
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Weights in another element type, in memory of their own that lives as long as it is reachable; rows are shared out among threads. */
final class WeightConverter {

    /** Rows that a thread takes at once, with one encoder for all of them. */
    private static final int STRIP = 32;

    private interface RowEncoder {
        void encode(int row, float[] values, ByteBuffer out);
    }

    private WeightConverter() {}

    static Weight toBFloat16(Weight weight) {
        RowEncoder encoder = (row, values, out) -> {
            short[] codes = new short[values.length];
            for (int i = 0; i < codes.length; i++) {
                codes[i] = FloatCodes.bFloat16(values[i]);
            }
            out.asShortBuffer().put(codes);
        };
        return Weight.plain(weight.name(), DType.BF16, weight.rows(), weight.columns(), encoded(weight, DType.BF16, () -> encoder));
    }

    /** One scale per row, amax / 448. */
    static Weight toE4m3(Weight weight) {
        float[] scales = new float[weight.rows()];
        MemorySegment data = encoded(weight, DType.E4M3, () -> {
            E4m3Row quantizer = new E4m3Row(weight.columns());
            return (row, values, out) -> {
                byte[] codes = new byte[values.length];
                scales[row] = quantizer.quantize(values, codes);
                out.put(codes);
            };
        });
        return new Weight(weight.name(), DType.E4M3, weight.rows(), weight.columns(), data,
                Scales.perRow(scales, weight.columns()), new ActivationQuantization.PerToken());
    }

    static Weight toInt4(Weight weight) {
        int groups = Math.ceilDiv(weight.columns(), DType.INT4_GROUP);
        float[] scales = new float[Math.multiplyExact(weight.rows(), groups)];
        MemorySegment data = encoded(weight, DType.INT4, () -> {
            Int4Row quantizer = new Int4Row(weight.columns());
            return (row, values, out) -> {
                byte[] packed = new byte[out.remaining()];
                quantizer.quantize(values, scales, row * groups, packed);
                out.put(packed);
            };
        });
        return new Weight(weight.name(), DType.INT4, weight.rows(), weight.columns(), data,
                new Scales(scales, 1, DType.INT4_GROUP), new ActivationQuantization.None());
    }

    /** Rows are new arrays each: collecting them also frees converted weights that nobody reaches any more. */
    private static MemorySegment encoded(Weight weight, DType type, Supplier<RowEncoder> encoders) {
        long rowBytes = type.rowBytes(weight.columns());
        MemorySegment data = Arena.ofAuto().allocate(Math.max(1, weight.rows() * rowBytes), 64);
        IntStream.range(0, Math.ceilDiv(weight.rows(), STRIP)).parallel().forEach(strip -> {
            RowEncoder encoder = encoders.get();
            for (int row = strip * STRIP; row < Math.min(weight.rows(), (strip + 1) * STRIP); row++) {
                encoder.encode(row, weight.row(row), data.asSlice(row * rowBytes, rowBytes).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN));
            }
        });
        return data;
    }
}
