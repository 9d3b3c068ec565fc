package io.moebius.backend.cpu;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Activations;
import io.moebius.backend.DType;
import io.moebius.backend.Matrix;
import io.moebius.backend.Scales;
import io.moebius.backend.Weight;

/**
 * @param weight keeps the memory reachable that the native matrix reads; without data where it reads a packed copy alone from the start
 * @param shape  sizes and format, for people and policies
 */
record CpuMatrix(long address, Weight weight, String shape) implements Matrix {

    private static final int KEEP = 0;
    private static final int STATIC = 1;
    private static final int PER_GROUP = 2;

    /** @param lookedUp whether rows will be looked up, in the memory of the weight itself */
    static CpuMatrix of(long engine, Weight weight, Activations activations, boolean lookedUp) {
        weight.check();
        Scales scales = weight.scales() == null ? new Scales(new float[0], weight.rows(), weight.columns()) : weight.scales();
        ActivationQuantization scheme =
                activations == Activations.EIGHT_BIT ? weight.activation() : new ActivationQuantization.None();
        int kind = switch (scheme) {
            case ActivationQuantization.None() -> KEEP;
            case ActivationQuantization.Static(float scale) -> STATIC;
            case ActivationQuantization.PerToken(float bound) -> PER_GROUP;
            case ActivationQuantization.PerGroup(int channels) -> PER_GROUP;
        };
        boolean mapped = weight.data().isMapped() && weight.data().isReadOnly();
        long address = CpuKernels.moebius_matrix(
                engine,
                weight.data().address(),
                type(weight.dtype()),
                weight.rows(),
                weight.columns(),
                scales.values(),
                scales.values().length,
                scales.blockRows(),
                scales.blockColumns(),
                kind,
                switch (scheme) {
                    case ActivationQuantization.Static(float scale) -> scale;
                    case ActivationQuantization.PerToken(float bound) -> bound;
                    default -> Float.POSITIVE_INFINITY;
                },
                scheme instanceof ActivationQuantization.PerGroup(int channels) ? channels : weight.columns(),
                mapped ? 1 : 0);
        boolean copied = !lookedUp && !mapped && CpuKernels.moebius_matrix_packed(address) != 0;
        return new CpuMatrix(
                address,
                copied ? weight.withoutScales().withoutData() : weight.withoutScales(),
                "%d x %d %s".formatted(weight.rows(), weight.columns(), weight.format()));
    }

    /** As moebius_cpu.h numbers them. */
    static int type(DType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case BF16 -> 2;
            case E4M3 -> 3;
            case INT4 -> 4;
        };
    }

    @Override
    public int rows() {
        return weight.rows();
    }

    @Override
    public int columns() {
        return weight.columns();
    }
}
