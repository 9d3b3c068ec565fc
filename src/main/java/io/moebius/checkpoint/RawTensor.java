package io.moebius.checkpoint;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A tensor as a safetensors file describes it, its bytes in mapped memory. */
record RawTensor(String name, String type, long[] shape, MemorySegment data) {

    /** Its elements as float32, for small tensors such as scales. */
    float[] floats() {
        ByteBuffer bytes = data.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[Math.toIntExact(data.byteSize() / elementBytes())];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (type) {
                case "F32" -> bytes.getFloat();
                case "BF16" -> Float.intBitsToFloat(bytes.getShort() << 16);
                case "F16" -> Float.float16ToFloat(bytes.getShort());
                default -> throw new CheckpointException(
                        "tensor %s has type %s; a scale is F32, BF16 or F16".formatted(name, type));
            };
        }
        return values;
    }

    /** Element {@code index} of its first dimension. */
    RawTensor slice(int index) {
        long bytes = data.byteSize() / shape[0];
        return new RawTensor(name, type, Arrays.copyOfRange(shape, 1, shape.length), data.asSlice(index * bytes, bytes));
    }

    /** {@code count} elements of its first dimension. */
    RawTensor rows(long from, long count) {
        long bytes = data.byteSize() / shape[0];
        long[] part = shape.clone();
        part[0] = count;
        return new RawTensor(name, type, part, data.asSlice(from * bytes, count * bytes));
    }

    boolean hasShape(long... expected) {
        return Arrays.equals(shape, expected);
    }

    long elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    private long elementBytes() {
        return elementBytes(type);
    }

    /** Bytes of an element of a safetensors type, 0 for an unknown one. */
    static int elementBytes(String type) {
        return switch (type) {
            case "BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2" -> 1;
            case "I16", "U16", "F16", "BF16" -> 2;
            case "I32", "U32", "F32" -> 4;
            case "I64", "U64", "F64" -> 8;
            default -> 0;
        };
    }
}
