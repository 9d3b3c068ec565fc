package io.moebius.backend.cuda;

import io.moebius.backend.Site;

/** Runs products of activations and packed weights, dense and by expert. */
final class Products {

    /**
     * Which rows are multiplied.
     *
     * @param tokens  of the step
     * @param count   of the result
     * @param offsets first row of each expert; 0 for one matrix
     * @param sources row of x of each row of the result; 0: the same
     * @param chosen  experts of each token; 1 for one matrix
     */
    record Rows(int tokens, int count, long offsets, long sources, int chosen) {

        static Rows dense(int tokens) {
            return new Rows(tokens, tokens, 0, 0, 1);
        }

        /** Those of the experts from {@code first} on. */
        Rows from(int first) {
            return first == 0 ? this : new Rows(tokens, count, offsets + (long) Integer.BYTES * first, sources, chosen);
        }
    }

    /**
     * Where results go.
     *
     * @param scale of e4m3 results
     */
    record Output(long address, long pitch, int epilogue, float scale) {

        Output(long address, long pitch, int epilogue) {
            this(address, pitch, epilogue, 1);
        }
    }

    /** @param part of the kernel, for people; empty for all of it */
    record Naming(String kernel, String part, String weight) {}

    private final Launcher launcher;
    private final Calls calls;
    private final CudaCatalogue catalogue;
    private final int computeCapability;
    private final Scratch partials;
    private final Scratch tickets;

    Products(DeviceMemory memory, Launcher launcher, Calls calls, CudaCatalogue catalogue, int computeCapability) {
        this.launcher = launcher;
        this.calls = calls;
        this.catalogue = catalogue;
        this.computeCapability = computeCapability;
        this.partials = new Scratch(memory);
        this.tickets = new Scratch(memory);
    }

    /** @param up null but for gated products */
    void run(Operand x, PackedWeights weights, PackedWeights up, Rows rows, Output out, Naming naming) {
        if (rows.count() == 0) {
            return;
        }
        KernelTable.Family family = !weights.fp8() ? KernelTable.Family.BF16_GEMM
                : x.type() == CudaKernels.E4M3 ? KernelTable.Family.FP8_GEMM : KernelTable.Family.W8A16_GEMM;
        CudaCatalogue.Product shape = new CudaCatalogue.Product(
                family, weights.rows(), weights.columns(), up != null, weights.count(), rows.chosen());
        Site site = catalogue.product(naming.kernel(), naming.part(), weights.format(), shape);
        double touched = weights.count() * (1 - Math.pow(1 - (double) rows.chosen() / weights.count(), rows.tokens()));
        int matrices = up == null ? 1 : 2;
        double bytes = matrices * touched * weights.rows() * weights.columns() * (weights.fp8() ? 1 : 2);
        double flops = 2.0 * matrices * weights.rows() * weights.columns() * rows.count();
        calls.run(site, rows.tokens(), bytes, flops, variant -> {
            for (int first = 0; first < weights.count(); first += KernelLayout.EXPERTS_AT_ONCE) {
                int size = Math.min(KernelLayout.EXPERTS_AT_ONCE, weights.count() - first);
                try (CudaKernels.Gemm gemm = new CudaKernels.Gemm()) {
                    describe(gemm, x, weights.part(first, size), up == null ? null : up.part(first, size), rows.from(first), out);
                    gemm.k_splits(shape.parts());
                    launch(gemm, (CudaVariant.Product) variant, matrices, naming.weight());
                }
            }
        });
    }

    private void launch(CudaKernels.Gemm gemm, CudaVariant.Product variant, int matrices, String weight) {
        KernelTable.Entry kernel = variant.kernel();
        gemm.raster(variant.raster());
        if (kernel.spread()) {
            long tiles = CudaKernels.moebius_gemm_tiles(kernel.variant(), gemm);
            gemm.partials(partials.atLeast(tiles * matrices * KernelLayout.STRIP * kernel.tileTokens() * Float.BYTES));
            gemm.tickets(tickets.atLeast(tiles * Integer.BYTES));
        }
        String refusal = CudaKernels.moebius_gemm_refusal(kernel.variant(), gemm, computeCapability);
        if (refusal != null) {
            throw new IllegalArgumentException("%s cannot multiply %s: %s".formatted(kernel.kernel(), weight, refusal));
        }
        launcher.launch(kernel, gemm, weight);
    }

    private static void describe(CudaKernels.Gemm gemm, Operand x, PackedWeights weights, PackedWeights up, Rows rows, Output out) {
        gemm.weights(weights.address());
        gemm.weight_scales(weights.scales());
        gemm.weight_block_rows(weights.blockRows());
        gemm.weight_block_columns(weights.blockColumns());
        gemm.scales_per_expert(weights.scalesEach());
        if (up != null) {
            gemm.up(up.address());
            gemm.up_scales(up.scales());
            gemm.up_block_rows(up.blockRows());
            gemm.up_block_columns(up.blockColumns());
        }
        gemm.x(x.address());
        gemm.x_pitch_bytes(x.pitchBytes());
        gemm.x_scales(x.scales());
        gemm.x_block_rows(x.scaleRows());
        gemm.x_block_columns(x.scaleColumns());
        gemm.out(out.address());
        gemm.out_pitch(out.pitch());
        gemm.epilogue(out.epilogue());
        gemm.out_scale(out.scale());
        gemm.offsets(rows.offsets());
        gemm.sources(rows.sources());
        gemm.rows(rows.count());
        gemm.n(weights.rows());
        gemm.k(weights.columns());
        gemm.experts(weights.count());
    }
}
