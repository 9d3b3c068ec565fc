package io.moebius.backend.cuda;

import io.moebius.backend.DType;
import io.moebius.backend.Weight;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Small weights as numbers on the host. */
final class HostNumbers {

    private HostNumbers() {}

    /** Row-major, dequantised; exact but for the one rounding of code times scale. */
    static float[] of(Weight weight) {
        float[] values = new float[Math.multiplyExact(weight.rows(), weight.columns())];
        ByteBuffer bytes = weight.data().asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (weight.dtype()) {
                case F32 -> bytes.getFloat();
                case F16 -> Float.float16ToFloat(bytes.getShort());
                case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
                case E4M3 -> e4m3(bytes.get())
                        * weight.scales().at(i / weight.columns(), i % weight.columns(), weight.columns());
                case INT4 -> int4(bytes, i / weight.columns() * weight.dtype().rowBytes(weight.columns()), i % weight.columns())
                        * weight.scales().at(i / weight.columns(), i % weight.columns(), weight.columns());
            };
        }
        return values;
    }

    private static int int4(ByteBuffer bytes, long row, int column) {
        int half = DType.INT4_GROUP / 2;
        int pair = bytes.get(Math.toIntExact(row + column / DType.INT4_GROUP * half + column % half));
        return (pair >> column % DType.INT4_GROUP / half * 4 & 15) - 8;
    }

    /** The exponent's bias is 7 instead of 127; the only other exception is that all ones are no number. */
    static float e4m3(byte code) {
        if ((code & 0x7f) == 0x7f) {
            return Float.NaN;
        }
        return Float.intBitsToFloat((code & 0x80) << 24 | (code & 0x7f) << 20) * 0x1p120f;
    }

    static short bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return Float.isNaN(value) ? (short) 0x7fc0 : (short) (bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }
}
