package io.moebius.backend.reference;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.DType;
import io.moebius.backend.Matrix;
import io.moebius.backend.Weight;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A weight dequantised to float64 on the Java heap, [rows][columns]. */
record DoubleMatrix(double[][] values, int columns, ActivationQuantization activation) implements Matrix {

    @Override
    public int rows() {
        return values.length;
    }

    static DoubleMatrix of(Weight weight) {
        double[][] values = new double[weight.rows()][];
        long rowBytes = weight.dtype().rowBytes(weight.columns());
        for (int row = 0; row < weight.rows(); row++) {
            ByteBuffer bytes =
                    weight.data().asSlice(row * rowBytes, rowBytes).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
            values[row] = dequantize(weight, row, bytes);
        }
        return new DoubleMatrix(values, weight.columns(), weight.activation());
    }

    private static double[] dequantize(Weight weight, int row, ByteBuffer bytes) {
        double[] out = new double[weight.columns()];
        for (int c = 0; c < out.length; c++) {
            out[c] = switch (weight.dtype()) {
                case F32 -> bytes.getFloat();
                case F16 -> Float.float16ToFloat(bytes.getShort());
                case BF16 -> Float.intBitsToFloat(bytes.getShort() << 16);
                case E4M3 -> E4m3.decode(bytes.get()) * weight.scales().at(row, c, weight.columns());
                case INT4 -> int4(bytes, c) * weight.scales().at(row, c, weight.columns());
            };
        }
        return out;
    }

    private static double int4(ByteBuffer row, int column) {
        int half = DType.INT4_GROUP / 2;
        int place = column % DType.INT4_GROUP;
        int pair = row.get(column / DType.INT4_GROUP * half + place % half);
        return (place < half ? pair & 15 : pair >> 4 & 15) - 8;
    }
}
