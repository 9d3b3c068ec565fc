package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization;
import java.util.List;

/**
 * Matrices of one shape and format, packed one after the other.
 *
 * @param address    of the first
 * @param type       bf16 or e4m3
 * @param each       bytes of one
 * @param scales     factors of the first, those of the others following; 0: none
 * @param blockRows  rows that share a factor
 * @param scalesEach factors of one
 * @param inputs     how each wants its inputs quantised
 * @param format     for people and policies: "e4m3, a scale per tensor"
 */
record PackedWeights(
        long address, int rows, int columns, int type, int count, long each, long scales, int blockRows, int blockColumns, int scalesEach,
        List<ActivationQuantization> inputs, String format) {

    /** The one at {@code index} alone. */
    PackedWeights only(int index) {
        return part(index, 1);
    }

    /** {@code size} of them, from {@code first} on. */
    PackedWeights part(int first, int size) {
        return count == size ? this : new PackedWeights(
                address + first * each, rows, columns, type, size, each, scales == 0 ? 0 : scales + 4L * first * scalesEach, blockRows,
                blockColumns, scalesEach, inputs.subList(first, first + size), format);
    }

    /** Whether one kernel can multiply both at once. */
    boolean alike(PackedWeights other) {
        return type == other.type && (!fp8() || format.equals(other.format));
    }

    PackedWeights at(long elsewhere) {
        return new PackedWeights(
                elsewhere, rows, columns, type, count, each, scales, blockRows, blockColumns, scalesEach, inputs, format);
    }

    boolean fp8() {
        return type == CudaKernels.E4M3;
    }
}
