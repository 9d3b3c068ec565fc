package io.moebius.backend;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Weights of random numbers in every format, and rows of given numbers. */
public final class RandomWeights {

    private final Random random;

    public RandomWeights(long seed) {
        random = new Random(seed);
    }

    /** From 0.01 to 0.21, exact in bf16. */
    public float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = Float.intBitsToFloat(Float.floatToRawIntBits(0.01f + 0.2f * random.nextFloat()) & 0xffff0000);
        }
        return values;
    }

    public Weight plain(DType type, int rows, int columns) {
        return weight(type, rows, columns, Scales.perTensor(0.003f, rows, columns), new ActivationQuantization.None());
    }

    public List<Weight> experts(int count, int rows, int columns, ActivationQuantization activation) {
        return IntStream.range(0, count)
                .mapToObj(e -> weight(DType.E4M3, rows, columns, Scales.perTensor(0.003f, rows, columns), activation))
                .toList();
    }

    /** Random finite elements of a type; e4m3 codes of every kind but NaN, subnormals among them. */
    public Weight weight(DType type, int rows, int columns, Scales scales, ActivationQuantization activation) {
        ByteBuffer bytes = ByteBuffer.allocate((int) (rows * type.rowBytes(columns))).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            float value = (float) random.nextGaussian() * 0.1f;
            switch (type) {
                case F32 -> bytes.putFloat(value);
                case F16 -> bytes.putShort(Float.floatToFloat16(value));
                case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(value) >> 16));
                case E4M3 -> bytes.put((byte) (random.nextInt(127) | random.nextInt(2) << 7));
                case INT4 -> bytes.put((byte) random.nextInt(256));
            }
        }
        Scales used = switch (type) {
            case E4M3 -> scales;
            case INT4 -> new Scales(floats(rows * Math.ceilDiv(columns, DType.INT4_GROUP)), 1, DType.INT4_GROUP);
            default -> null;
        };
        return new Weight("random", type, rows, columns, segment(bytes), used, activation);
    }

    /** Rows of given numbers, by way of an embedding. */
    public static Tensor fill(Backend backend, float[] values, int rows, int columns) {
        ByteBuffer bytes = ByteBuffer.allocate(rows * columns * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values, 0, rows * columns);
        Matrix table = backend.loadTable(Weight.plain("inputs", DType.F32, rows, columns, segment(bytes)));
        int[] ids = IntStream.range(0, rows).toArray();
        Tensor x = backend.tensor(rows, columns);
        backend.embed(new Batch(ids, new int[rows], new int[] {0, rows}, new int[][] {{}}, new int[0]), table, x);
        return x;
    }

    private static MemorySegment segment(ByteBuffer bytes) {
        MemorySegment segment = Arena.ofAuto().allocate(Math.max(1, bytes.capacity()), 64);
        return segment.copyFrom(MemorySegment.ofArray(bytes.array()));
    }
}
