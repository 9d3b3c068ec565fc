package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization;

/** Looks tokens up in a table, and chooses experts for them. */
final class Routers {

    /** Tokens of a step whose choices the router sorts itself: one launch less, where a second block would have little to do. */
    private static final int SORTED_AT_ONCE = 64;

    private final Launcher launcher;
    private final KernelTable table;
    private final InputFormats formats;
    private final Evaluation evaluation;
    private final Scratch ticket;

    Routers(Launcher launcher, KernelTable table, InputFormats formats, Evaluation evaluation, DeviceMemory memory) {
        this.launcher = launcher;
        this.table = table;
        this.formats = formats;
        this.evaluation = evaluation;
        this.ticket = new Scratch(memory);
    }

    /** @param drawn where the tokens of the last draw lie */
    void embed(StepInputs.Uploaded batch, long drawn, CudaMatrix rows, CudaTensor out) {
        try (CudaKernels.Embed parameters = new CudaKernels.Embed()) {
            parameters.table(rows.table());
            parameters.tokens(batch.tokens());
            parameters.drawn(drawn);
            parameters.out(out.buffer().floatsAddress());
            parameters.count(batch.size());
            parameters.columns(rows.columns());
            launcher.launch(table.only(KernelTable.Family.EMBED), parameters, rows.name());
        }
    }

    /** Chooses experts and sorts the rows by them. */
    void route(CudaTensor x, CudaMatrix router, CudaRouting out) {
        Operand rows = evaluation.operand(x, new ActivationQuantization.None());
        CudaMatrix.RouterRows weights = router.router();
        long offsets = out.offsets().atLeast(4L * (router.rows() + 1));
        boolean sortsItself = x.rows() <= SORTED_AT_ONCE;
        try (CudaKernels.Route parameters = new CudaKernels.Route()) {
            parameters.x(rows.address());
            parameters.x_pitch(rows.pitch());
            parameters.x_scale(formats.ofRouter(router));
            parameters.router(weights.address());
            parameters.router_type(weights.type());
            parameters.ids(out.ids());
            parameters.weights(out.weights());
            parameters.ticket(sortsItself ? ticket.atLeast(Integer.BYTES) : 0);
            parameters.offsets(offsets);
            parameters.sources(out.sources());
            parameters.positions(out.positions());
            parameters.tokens(x.rows());
            parameters.hidden(x.columns());
            parameters.experts(router.rows());
            parameters.top_k(out.topK());
            launcher.launch(table.only(KernelTable.Family.ROUTE), parameters, router.name());
        }
        if (!sortsItself) {
            sort(x.rows(), router, out, offsets);
        }
    }

    private void sort(int tokens, CudaMatrix router, CudaRouting out, long offsets) {
        try (CudaKernels.Permute parameters = new CudaKernels.Permute()) {
            parameters.ids(out.ids());
            parameters.offsets(offsets);
            parameters.sources(out.sources());
            parameters.positions(out.positions());
            parameters.tokens(tokens);
            parameters.experts(router.rows());
            parameters.top_k(out.topK());
            launcher.launch(table.only(KernelTable.Family.PERMUTE), parameters, router.name());
        }
    }
}
