package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization;

/** Norms, sums of expert outputs and changes of format: one pass over the rows each. */
final class Norms {

    private final Launcher launcher;
    private final KernelTable.Entry norm;
    private final KernelTable.Entry quantize;
    private final KernelTable.Entry embed;
    private final Scratch zero;
    private final Scratch repeated;
    private final Driver driver;
    private final long stream;

    Norms(Driver driver, DeviceMemory memory, Launcher launcher, KernelTable table, long stream) {
        this.driver = driver;
        this.stream = stream;
        this.launcher = launcher;
        this.norm = table.only(KernelTable.Family.NORM);
        this.quantize = table.only(KernelTable.Family.QUANTIZE);
        this.embed = table.only(KernelTable.Family.EMBED);
        this.zero = new Scratch(memory);
        this.repeated = new Scratch(memory);
    }

    /**
     * Adds what is expected to the float32 rows of {@code source}, and writes their norm.
     *
     * @param weight of the norm; 0: the rows as they are
     * @param halves null for none
     * @param codes  null for none
     */
    void run(CudaTensor source, long weight, double epsilon, Operand halves, Operand codes, ActivationQuantization scheme, String site) {
        if (source.rows() == 0) {
            return;
        }
        ActivationBuffer.Addend addend = source.buffer().addend;
        try (CudaKernels.Norm parameters = new CudaKernels.Norm()) {
            parameters.residual(source.buffer().floatsAddress());
            if (addend != null) {
                parameters.expert_out(addend.outputs());
                parameters.positions(addend.positions());
                parameters.expert_weights(addend.weights());
                parameters.top_k(addend.topK());
            }
            parameters.weight(weight);
            parameters.epsilon(epsilon);
            if (halves != null) {
                parameters.out16(halves.address());
                parameters.out16_pitch(halves.pitch());
            }
            if (codes != null) {
                parameters.out8(codes.address());
                parameters.out8_pitch(codes.pitch());
                parameters.out_scales(codes.scales());
                parameters.group(group(scheme, source.columns()));
                parameters.bound(bound(scheme));
            }
            parameters.tokens(source.rows());
            parameters.columns(source.columns());
            launcher.launch(norm, parameters, site);
        }
        source.buffer().addend = null;
    }

    void quantize(Operand from, Operand to, int rows, int columns, ActivationQuantization scheme, String site) {
        if (rows == 0) {
            return;
        }
        try (CudaKernels.Quantize parameters = new CudaKernels.Quantize()) {
            parameters.x(from.address());
            parameters.x_pitch(from.pitch());
            parameters.out8(to.address());
            parameters.out8_pitch(to.pitch());
            parameters.out_scales(to.scales());
            parameters.group(group(scheme, columns));
            parameters.bound(bound(scheme));
            parameters.rows(rows);
            parameters.columns(columns);
            launcher.launch(quantize, parameters, site);
        }
    }

    /** float32 rows of bf16 ones; row by row, since no model asks for it. */
    void widen(Operand from, long to, int rows, int columns) {
        for (int row = 0; row < rows; row++) {
            try (CudaKernels.Embed parameters = new CudaKernels.Embed()) {
                parameters.table(from.address() + 2 * row * from.pitch());
                parameters.tokens(zero.atLeast(Integer.BYTES));
                parameters.out(to + 4L * row * columns);
                parameters.count(1);
                parameters.columns(columns);
                launcher.launch(embed, parameters, "a change of format");
            }
        }
    }

    /** Adds a vector to each float32 row; the vector is repeated first, by a copy for each row: few models have such a bias. */
    void addVector(CudaTensor to, long vector, String site) {
        long rowBytes = 4L * to.columns();
        long delta = repeated.atLeast(rowBytes * to.rows());
        for (int row = 0; row < to.rows(); row++) {
            driver.copy(delta + row * rowBytes, vector, rowBytes, stream);
        }
        try (CudaKernels.Norm parameters = new CudaKernels.Norm()) {
            parameters.residual(to.buffer().floatsAddress());
            parameters.delta(delta);
            parameters.tokens(to.rows());
            parameters.columns(to.columns());
            launcher.launch(norm, parameters, site);
        }
    }

    private static int group(ActivationQuantization scheme, int columns) {
        return switch (scheme) {
            case ActivationQuantization.PerToken(float bound) -> columns;
            case ActivationQuantization.PerGroup(int channels) -> channels;
            default -> 0;
        };
    }

    private static float bound(ActivationQuantization scheme) {
        return scheme instanceof ActivationQuantization.PerToken(float bound) ? bound : Float.POSITIVE_INFINITY;
    }
}
