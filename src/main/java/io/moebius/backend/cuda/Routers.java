package io.moebius.backend.cuda;

import io.moebius.backend.ActivationQuantization;

/** Looks tokens up in a table, and chooses experts for them. */
final class Routers {

    private final Launcher launcher;
    private final KernelTable table;
    private final Evaluation evaluation;

    Routers(Launcher launcher, KernelTable table, Evaluation evaluation) {
        this.launcher = launcher;
        this.table = table;
        this.evaluation = evaluation;
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
        try (CudaKernels.Route parameters = new CudaKernels.Route()) {
            parameters.x(rows.address());
            parameters.x_pitch(rows.pitch());
            parameters.x_scale(evaluation.routerInput(router));
            parameters.router(weights.address());
            parameters.router_type(weights.type());
            parameters.ids(out.ids());
            parameters.weights(out.weights());
            parameters.tokens(x.rows());
            parameters.hidden(x.columns());
            parameters.experts(router.rows());
            parameters.top_k(out.topK());
            launcher.launch(table.only(KernelTable.Family.ROUTE), parameters, router.name());
        }
        try (CudaKernels.Permute parameters = new CudaKernels.Permute()) {
            parameters.ids(out.ids());
            parameters.offsets(out.offsets().atLeast(4L * (router.rows() + 1)));
            parameters.sources(out.sources());
            parameters.positions(out.positions());
            parameters.tokens(x.rows());
            parameters.experts(router.rows());
            parameters.top_k(out.topK());
            launcher.launch(table.only(KernelTable.Family.PERMUTE), parameters, router.name());
        }
    }
}
