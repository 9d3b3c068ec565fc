package io.moebius.backend;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;

/**
 * A matrix [rows, columns] as it lies in a checkpoint; a vector is one row.
 *
 * @param name       tensor name, for messages
 * @param data       rows * columns elements, row-major, little-endian, in mapped memory
 * @param scales     factors of an {@link DType#E4M3} or {@link DType#INT4} matrix, null for other types
 * @param activation what the checkpoint does to the inputs of this layer when activations are 8-bit
 * @param shared     memory that the data is a part of, as that of other weights is, too: a device can copy it once for all of them;
 *                   null where the data is this weight's alone
 */
public record Weight(
        String name,
        DType dtype,
        int rows,
        int columns,
        MemorySegment data,
        Scales scales,
        ActivationQuantization activation,
        MemorySegment shared) {

    public Weight(
            String name, DType dtype, int rows, int columns, MemorySegment data, Scales scales, ActivationQuantization activation) {
        this(name, dtype, rows, columns, data, scales, activation, null);
    }

    public static Weight plain(String name, DType dtype, int rows, int columns, MemorySegment data) {
        return new Weight(name, dtype, rows, columns, data, null, new ActivationQuantization.None());
    }

    /** The same for those who have taken its scales. */
    public Weight withoutScales() {
        return new Weight(name, dtype, rows, columns, data, null, activation, shared);
    }

    /** The same for those who have copied its data, whose memory may then go. */
    public Weight withoutData() {
        return new Weight(name, dtype, rows, columns, null, scales, activation);
    }

    /** The same, its data being a part of {@code memory}. */
    public Weight within(MemorySegment memory) {
        return new Weight(name, dtype, rows, columns, data, scales, activation, memory);
    }

    /** Whether a projection through it gives logits: it is the head, or the embedding that also serves as one. */
    public boolean givesLogits() {
        return name.startsWith("lm_head.") || name.startsWith("model.embed_tokens.");
    }

    public long bytes() {
        return rows * dtype.rowBytes(columns);
    }

    /** Its element type, and which elements share a scale; for people and policies. */
    public String format() {
        String type = dtype.name().toLowerCase(Locale.ROOT);
        if (scales == null) {
            return type;
        }
        boolean wholeRows = scales.blockColumns() >= columns;
        return type + (wholeRows && scales.blockRows() >= rows ? ", a scale per tensor"
                : wholeRows && scales.blockRows() == 1 ? ", a scale per row"
                : ", a scale per %d x %d".formatted(scales.blockRows(), scales.blockColumns()));
    }

    /**
     * For backends whose kernels trust addresses and read scales by block.
     *
     * @throws IllegalArgumentException if the data is not in mapped memory or too short, or its blocks have not a scale each
     */
    public void check() {
        require(data.isNative(), "lies on the Java heap, map it");
        require(data.byteSize() >= bytes(), "has %d bytes, needs %d".formatted(data.byteSize(), bytes()));
        if (dtype == DType.E4M3 || dtype == DType.INT4) {
            require(scales != null && scales.blockRows() >= 1 && scales.blockColumns() >= 1, "is quantised without usable scales");
            int blocks = Math.ceilDiv(rows, scales.blockRows()) * Math.ceilDiv(columns, scales.blockColumns());
            require(scales.values().length == blocks, "has %d scales, needs %d".formatted(scales.values().length, blocks));
        }
    }

    private void require(boolean holds, String otherwise) {
        Operands.require(holds, "weight " + name + " " + otherwise);
    }

    /** A row as numbers, dequantised: exact but for the one rounding of code times scale. */
    public float[] row(int row) {
        long rowBytes = dtype.rowBytes(columns);
        ByteBuffer bytes = data.asSlice(row * rowBytes, rowBytes).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[columns];
        switch (dtype) {
            case F32 -> bytes.asFloatBuffer().get(values);
            case F16 -> {
                short[] halves = shorts(bytes);
                for (int c = 0; c < columns; c++) {
                    values[c] = Float.float16ToFloat(halves[c]);
                }
            }
            case BF16 -> {
                short[] halves = shorts(bytes);
                for (int c = 0; c < columns; c++) {
                    values[c] = Float.intBitsToFloat(halves[c] << 16);
                }
            }
            case E4M3 -> {
                for (int c = 0; c < columns; c++) {
                    values[c] = FloatCodes.fromE4m3(bytes.get(c));
                }
                scale(values, row);
            }
            case INT4 -> {
                for (int c = 0; c < columns; c++) {
                    values[c] = int4(bytes, c);
                }
                scale(values, row);
            }
        }
        return values;
    }

    private short[] shorts(ByteBuffer bytes) {
        short[] values = new short[columns];
        bytes.asShortBuffer().get(values);
        return values;
    }

    private void scale(float[] values, int row) {
        int block = Math.min(scales.blockColumns(), columns);
        for (int begin = 0; begin < columns; begin += block) {
            float factor = scales.at(row, begin, columns);
            for (int c = begin; c < Math.min(columns, begin + block); c++) {
                values[c] *= factor;
            }
        }
    }

    private static int int4(ByteBuffer row, int column) {
        int half = DType.INT4_GROUP / 2;
        int pair = row.get(column / DType.INT4_GROUP * half + column % half);
        return (pair >> column % DType.INT4_GROUP / half * 4 & 15) - 8;
    }
}
