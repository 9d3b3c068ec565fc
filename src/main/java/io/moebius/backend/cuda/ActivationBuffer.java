package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization;
import java.util.ArrayList;
import java.util.List;

/**
 * Room for activations, in up to three formats of which each is allocated when it is first used, and what is known of its content.
 * Float32 rows lie dense; bf16 and e4m3 rows have {@link Operand}'s pitch.
 */
final class ActivationBuffer {

    /** Expert outputs that are still to be added to the float32 rows: the next norm does it on its way. */
    record Addend(long outputs, long positions, long weights, int topK, int tokens) {}

    private final DeviceMemory memory;
    private final long elements;
    private long floatsAddress;
    private long halvesAddress;
    private int halvesColumns;
    private long codesAddress;
    private int codesColumns;
    private final Scratch scales;

    /** What is still to be computed, or null. */
    Deferred deferred;
    /** Which formats hold the content. */
    boolean floats;
    boolean halves;
    /** The scheme of the codes, or null. */
    ActivationQuantization codes;
    Addend addend;
    /** Buffers whose deferred content is computed from this one. */
    final List<ActivationBuffer> readers = new ArrayList<>();

    ActivationBuffer(DeviceMemory memory, long elements) {
        this.memory = memory;
        this.elements = elements;
        this.scales = new Scratch(memory);
    }

    boolean computed() {
        return floats || halves || codes != null;
    }

    /** Forgets the content. */
    void clear() {
        deferred = null;
        floats = false;
        halves = false;
        codes = null;
        addend = null;
    }

    void defer(Deferred content, ActivationBuffer... sources) {
        deferred = content;
        for (ActivationBuffer source : sources) {
            if (!source.readers.contains(this)) {
                source.readers.add(this);
            }
        }
    }

    long floatsAddress() {
        if (floatsAddress == 0) {
            floatsAddress = memory.zeroed(elements * Float.BYTES);
        }
        return floatsAddress;
    }

    Operand halves(int columns) {
        if (halvesColumns != columns) {
            memory.free(halvesAddress);
            halvesAddress = memory.zeroed(2 * rows(columns) * Operand.pitch(columns));
            halvesColumns = columns;
        }
        return Operand.bf16(halvesAddress, Operand.pitch(columns));
    }

    /** @param fixedScale where the one factor of a static scheme lies */
    Operand codes(int columns, ActivationQuantization scheme, long fixedScale) {
        if (codesColumns != columns) {
            memory.free(codesAddress);
            codesAddress = memory.zeroed(rows(columns) * Operand.pitch(columns));
            codesColumns = columns;
        }
        return switch (scheme) {
            case ActivationQuantization.None() -> throw new IllegalArgumentException("codes without a scheme");
            case ActivationQuantization.Static(float scale) -> codes(columns, fixedScale, Integer.MAX_VALUE, columns);
            case ActivationQuantization.PerToken(float bound) ->
                codes(columns, scales.atLeast(rows(columns) * Float.BYTES), 1, columns);
            case ActivationQuantization.PerGroup(int channels) ->
                codes(columns, scales.atLeast(rows(columns) * Math.ceilDiv(columns, channels) * Float.BYTES), 1, channels);
        };
    }

    private Operand codes(int columns, long scales, int rows, int group) {
        return new Operand(codesAddress, CudaKernels.E4M3, Operand.pitch(columns), scales, rows, group);
    }

    private long rows(int columns) {
        return Math.ceilDiv(elements, (long) columns);
    }
}
