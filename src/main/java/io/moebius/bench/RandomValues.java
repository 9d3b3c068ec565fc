package io.moebius.bench;

import io.moebius.backend.FloatCodes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** Fills tensors with random numbers as fast as a disk takes them: draws from a table of normally distributed elements. */
final class RandomValues {

    private static final int TABLE = 1 << 16;

    private final SplittableRandom random;
    private final double[] normal = new double[TABLE];

    RandomValues(long seed) {
        random = new SplittableRandom(seed);
        SplittableRandom draws = random.split();
        for (int i = 0; i < TABLE; i++) {
            normal[i] = draws.nextGaussian();
        }
    }

    /** One source of the bytes of a tensor, in order. */
    interface Source {
        /** Fills a buffer whose free room is a multiple of 8 bytes, or the tensor's last piece. */
        void fill(ByteBuffer buffer);
    }

    Source of(PlannedTensor tensor) {
        return switch (tensor.value()) {
            case PlannedTensor.Value.Constant(float value) -> buffer -> {
                while (buffer.hasRemaining()) {
                    if (tensor.type().equals("F32")) {
                        buffer.putFloat(value);
                    } else {
                        buffer.putShort(FloatCodes.bFloat16(value));
                    }
                }
            };
            case PlannedTensor.Value.Normal(double deviation) -> tensor.type().equals("BF16")
                    ? brains(deviation)
                    : codes(deviation);
        };
    }

    private Source brains(double deviation) {
        short[] table = new short[TABLE];
        for (int i = 0; i < TABLE; i++) {
            table[i] = FloatCodes.bFloat16((float) (deviation * normal[i]));
        }
        return buffer -> {
            while (buffer.hasRemaining()) {
                long draw = random.nextLong();
                for (int i = 0; i < 4 && buffer.hasRemaining(); i++, draw >>>= 16) {
                    buffer.putShort(table[(int) draw & TABLE - 1]);
                }
            }
        };
    }

    private Source codes(double deviation) {
        byte[] table = new byte[TABLE];
        for (int i = 0; i < TABLE; i++) {
            table[i] = FloatCodes.e4m3((float) (deviation * normal[i]));
        }
        return buffer -> {
            while (buffer.hasRemaining()) {
                long draw = random.nextLong();
                for (int i = 0; i < 4 && buffer.hasRemaining(); i++, draw >>>= 16) {
                    buffer.put(table[(int) draw & TABLE - 1]);
                }
            }
        };
    }

    /** A little-endian buffer for a piece of a tensor. */
    static ByteBuffer piece() {
        return ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    }
}
