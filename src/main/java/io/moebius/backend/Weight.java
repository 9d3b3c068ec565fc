package io.moebius.backend;

import java.lang.foreign.MemorySegment;

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
}
