package io.moebius.backend.cpu;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Activations;
import io.moebius.backend.DType;
import io.moebius.backend.Matrix;
import io.moebius.backend.Scales;
import io.moebius.backend.Weight;
import java.util.Locale;

/**
 * @param weight keeps the mapped memory reachable that the native matrix reads
 * @param shape  sizes and format, for people and policies
 */
record CpuMatrix(long address, Weight weight, String shape) implements Matrix {

    private static final int KEEP = 0;
    private static final int STATIC = 1;
    private static final int PER_GROUP = 2;

    static CpuMatrix of(long engine, Weight weight, Activations activations) {
        if (!weight.data().isNative()) {
            throw new IllegalArgumentException("weight %s lies on the Java heap, map it".formatted(weight.name()));
        }
        if (weight.data().byteSize() < weight.bytes()) {
            throw new IllegalArgumentException("weight %s has %d bytes, needs %d"
                    .formatted(weight.name(), weight.data().byteSize(), weight.bytes()));
        }
        Scales scales = weight.dtype() == DType.E4M3 || weight.dtype() == DType.INT4
                ? checked(weight)
                : new Scales(new float[0], weight.rows(), weight.columns());
        ActivationQuantization scheme =
                activations == Activations.EIGHT_BIT ? weight.activation() : new ActivationQuantization.None();
        int kind = switch (scheme) {
            case ActivationQuantization.None() -> KEEP;
            case ActivationQuantization.Static(float scale) -> STATIC;
            case ActivationQuantization.PerToken(float bound) -> PER_GROUP;
            case ActivationQuantization.PerGroup(int channels) -> PER_GROUP;
        };
        return new CpuMatrix(
                CpuKernels.moebius_matrix(
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
                        scheme instanceof ActivationQuantization.PerGroup(int channels) ? channels : weight.columns()),
                weight.withoutScales(),
                shape(weight));
    }

    private static String shape(Weight weight) {
        String size = "%d x %d %s".formatted(weight.rows(), weight.columns(), weight.dtype().name().toLowerCase(Locale.ROOT));
        Scales scales = weight.scales();
        if (scales == null) {
            return size;
        }
        boolean wholeRows = scales.blockColumns() >= weight.columns();
        return size + (wholeRows && scales.blockRows() >= weight.rows() ? ", a scale per tensor"
                : wholeRows && scales.blockRows() == 1 ? ", a scale per row"
                : ", a scale per %d x %d".formatted(scales.blockRows(), scales.blockColumns()));
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

    /** The scales of a quantised matrix, as many as its blocks: the kernels read them by block. */
    private static Scales checked(Weight weight) {
        Scales scales = weight.scales();
        if (scales == null || scales.blockRows() < 1 || scales.blockColumns() < 1) {
            throw new IllegalArgumentException("weight %s is quantised without usable scales".formatted(weight.name()));
        }
        int blocks = Math.ceilDiv(weight.rows(), scales.blockRows()) * Math.ceilDiv(weight.columns(), scales.blockColumns());
        if (scales.values().length != blocks) {
            throw new IllegalArgumentException("weight %s has %d scales, needs %d"
                    .formatted(weight.name(), scales.values().length, blocks));
        }
        return scales;
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
