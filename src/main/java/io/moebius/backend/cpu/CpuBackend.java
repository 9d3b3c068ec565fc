package io.moebius.backend.cpu;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.Dispatch;
import io.moebius.backend.Experts;
import io.moebius.backend.KernelCall;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Operands;
import io.moebius.backend.Program;
import io.moebius.backend.Roofline;
import io.moebius.backend.Rope;
import io.moebius.backend.Routing;
import io.moebius.backend.Site;
import io.moebius.backend.Tensor;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import io.moebius.backend.Weight;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** C++ kernels in float32 over weights as they lie in the checkpoint. Checks every index that becomes an address. */
public final class CpuBackend implements Backend, Tunable {

    private final Activations activations;
    private final InstructionSet instructionSet;
    private final int threads;
    private final NativeMemory memory = new NativeMemory();
    private final CpuCatalogue catalogue;
    private Dispatch dispatch = call -> call.run(defaultVariant(call.site(), call.tokens()));
    private long engine;
    /** Of the step that runs, as {@link Batch#promptTokens}; null where that makes no difference. */
    private byte[] stepPrompts;

    /** The best instruction set of this processor, a thread for each processor that the process may use. */
    public CpuBackend(Activations activations) {
        this(activations, InstructionSet.best(), Runtime.getRuntime().availableProcessors());
    }

    /** @throws IllegalArgumentException if this processor lacks the instruction set */
    public CpuBackend(Activations activations, InstructionSet instructionSet, int threads) {
        Operands.require(instructionSet.supported(), "this processor has no " + instructionSet);
        Operands.require(threads >= 1, "threads: " + threads + "; at least 1");
        this.activations = activations;
        this.instructionSet = instructionSet;
        this.threads = threads;
        this.catalogue = new CpuCatalogue(threads, instructionSet);
        this.engine = CpuKernels.moebius_create(instructionSet.ordinal(), threads);
    }

    @Override
    public String description() {
        return "cpu (%s, %d threads)".formatted(instructionSet.name().toLowerCase(Locale.ROOT), threads);
    }

    @Override
    public Activations activations() {
        return activations;
    }

    @Override
    public Optional<Roofline> roofline() {
        return Optional.of(new Roofline(
                CpuKernels.moebius_read_bandwidth(engine()),
                CpuKernels.moebius_peak_flops(engine()),
                switch (instructionSet) {
                    case AMX -> "bf16 tile products";
                    case AVX512_BF16 -> "bf16 dot products";
                    default -> "f32 multiply-adds";
                }));
    }

    @Override
    public Tensor tensor(int rows, int columns) {
        requireOpen();
        return new CpuTensor(memory.allocate((long) rows * columns * Float.BYTES), rows, columns);
    }

    @Override
    public Routing routing(int tokens, int topK) {
        requireOpen();
        long count = (long) tokens * topK;
        return new CpuRouting(
                memory.allocate(count * Integer.BYTES), memory.allocate(count * Float.BYTES), tokens, topK);
    }

    @Override
    public Matrix load(Weight weight) {
        return memory.keep(CpuMatrix.of(engine(), weight, activations, false));
    }

    @Override
    public Matrix loadTable(Weight weight) {
        return memory.keep(CpuMatrix.of(engine(), weight, activations, true));
    }

    @Override
    public long bytesToCome() {
        return CpuKernels.moebius_unpacked_bytes(engine());
    }

    @Override
    public void settle() {
        CpuKernels.moebius_finish_packing(engine());
    }

    @Override
    public long kvBlockBytes(KvCache.Shape shape) {
        return 2 * CpuKvCache.bytes(shape, 1);
    }

    @Override
    public KvCache kvCache(KvCache.Shape shape, int blocks) {
        requireOpen();
        long bytes = CpuKvCache.bytes(shape, blocks);
        Operands.require((long) blocks * KvCache.BLOCK_TOKENS <= Integer.MAX_VALUE, "cache blocks: " + blocks);
        return new CpuKvCache(shape, blocks, memory.allocate(bytes), memory.allocate(bytes));
    }

    @Override
    public Tensor run(Program program, Batch batch, KvCache cache) {
        stepPrompts = instructionSet == InstructionSet.AMX ? batch.promptTokens() : null;
        try {
            return program.run(batch, cache);
        } finally {
            stepPrompts = null;
        }
    }

    /** Which rows of x are tokens of prompts; null if none is, or it makes no difference. */
    private byte[] prompts(Tensor x) {
        return stepPrompts != null && x.rows() == stepPrompts.length ? stepPrompts : null;
    }

    @Override
    public void embed(Batch batch, Matrix table, Tensor out) {
        for (int token : batch.tokens()) {
            Operands.require(token >= 0 && token < table.rows(), "token " + token + " of " + table.rows());
        }
        Operands.shape(out, batch.size(), table.columns());
        Weight weight = ((CpuMatrix) table).weight();
        Operands.require(weight.data() != null, weight.name() + " is no table: its rows were repacked");
        CpuKernels.moebius_embed(engine(), address(table), batch.tokens(), batch.size(), address(out));
    }

    @Override
    public void rmsNorm(Tensor x, Matrix weight, double epsilon, Tensor out) {
        Operands.shape(weight, 1, x.columns());
        Operands.shape(out, x.rows(), x.columns());
        CpuKernels.moebius_rms_norm(engine(), address(x), address(weight), epsilon, x.rows(), address(out));
    }

    @Override
    public void project(Tensor x, Matrix weight, Tensor out) {
        project(x, weight, out, 0);
    }

    @Override
    public void projectAdd(Tensor x, Matrix weight, Tensor residual) {
        project(x, weight, residual, 1);
    }

    private void project(Tensor x, Matrix weight, Tensor out, int add) {
        Operands.shape(x, x.rows(), weight.columns());
        Operands.shape(out, x.rows(), weight.rows());
        Site site = catalogue.project((CpuMatrix) weight);
        // Rows of logits are few, and taken out of the step: they are computed as generated tokens' are.
        byte[] prompts = ((CpuMatrix) weight).weight().givesLogits() ? null : prompts(x);
        double flops = 2.0 * weight.rows() * weight.columns() * x.rows();
        dispatch.run(new CpuCall(site, x.rows(), 0, ((CpuMatrix) weight).weight().bytes(), flops, variant -> {
            CpuVariant.Product how = (CpuVariant.Product) variant;
            CpuKernels.moebius_project(
                    engine(), address(x), address(weight), prompts, x.rows(), address(out), add, how.threads(), how.panel(),
                    how.direct(), how.interleave());
        }));
    }

    @Override
    public void addBias(Tensor x, Matrix bias) {
        Operands.shape(bias, 1, x.columns());
        CpuKernels.moebius_add_bias(engine(), address(x), address(bias), x.rows());
    }

    @Override
    public void swiGlu(Tensor gate, Tensor up) {
        Operands.shape(up, gate.rows(), gate.columns());
        CpuKernels.moebius_swiglu(engine(), address(gate), address(up), gate.rows(), gate.columns());
    }

    @Override
    public void ropeAndStore(
            Batch batch, Rope rope, Tensor query, Tensor key, Tensor value, KvCache cache, int layer) {
        CpuKvCache pages = (CpuKvCache) cache;
        KvCache.Shape shape = pages.shape();
        int width = shape.heads() * shape.headDim();
        Operands.shape(query, batch.size(), query.columns());
        Operands.shape(key, batch.size(), width);
        Operands.shape(value, batch.size(), width);
        Operands.layer(layer, shape);
        CpuKernels.moebius_rope_store(
                engine(), address(query), address(key), address(value), batch.positions(), pages.slots(batch), batch.size(),
                query.columns() / shape.headDim(), shape.heads(), shape.headDim(), rope.frequencies(), rope.factor(),
                pages.keys(layer), pages.values(layer), CpuMatrix.type(CpuKvCache.type(shape)), pages.keyScale(layer), pages.valueScale(layer));
    }

    @Override
    public void attend(Batch batch, Tensor query, KvCache cache, int layer, Tensor out) {
        CpuKvCache pages = (CpuKvCache) cache;
        KvCache.Shape shape = pages.shape();
        int heads = query.columns() / shape.headDim();
        Operands.require(heads % shape.heads() == 0, heads + " query heads over " + shape.heads() + " key heads");
        Operands.shape(query, batch.size(), heads * shape.headDim());
        Operands.shape(out, batch.size(), query.columns());
        Operands.layer(layer, shape);
        int[] tables = pages.tables(batch);
        int[] tableOffsets = pages.tableOffsets(batch);
        double bytes = 2.0 * shape.tokensRead(batch) * shape.heads() * shape.headDim() * CpuKvCache.type(shape).bytes();
        double flops = 4.0 * shape.tokensSeen(batch) * heads * shape.headDim();
        dispatch.run(new CpuCall(catalogue.attend(heads, shape), batch.size(), shape.longestRead(batch), bytes, flops, variant -> {
            CpuVariant.Attention how = (CpuVariant.Attention) variant;
            CpuKernels.moebius_attend(
                    engine(), address(query), pages.keys(layer), pages.values(layer), CpuMatrix.type(CpuKvCache.type(shape)),
                    pages.keyScale(layer), pages.valueScale(layer), shape.window(), batch.positions(), tables, tableOffsets, batch.size(), heads, shape.heads(), shape.headDim(), address(out), how.threads(), how.run(), how.tasks());
        }));
    }

    @Override
    public void route(Tensor x, Matrix router, Routing out) {
        CpuRouting routing = (CpuRouting) out;
        Operands.route(x, router, routing);
        CpuKernels.moebius_route(
                engine(), address(x), address(router), x.rows(), routing.topK(), routing.ids(), routing.weights());
    }

    @Override
    public void experts(Tensor x, Routing routing, Experts experts, Tensor residual) {
        CpuRouting chosen = (CpuRouting) routing;
        Operands.experts(x, chosen, experts, residual);
        long[] matrices = new long[3 * experts.count()];
        for (int e = 0; e < experts.count(); e++) {
            matrices[3 * e] = address(experts.gate().get(e));
            matrices[3 * e + 1] = address(experts.up().get(e));
            matrices[3 * e + 2] = address(experts.down().get(e));
        }
        Site site = catalogue.experts((CpuMatrix) experts.gate().getFirst(), experts.count(), chosen.topK());
        CpuMatrix gate = (CpuMatrix) experts.gate().getFirst();
        // Which experts the router chose stands in native memory: as many are counted as even choices touch.
        double touched = experts.count() * (1 - Math.pow(1 - (double) chosen.topK() / experts.count(), x.rows()));
        double flops = 6.0 * gate.rows() * gate.columns() * chosen.topK() * x.rows();
        dispatch.run(new CpuCall(site, x.rows(), 0, 3 * touched * gate.weight().bytes(), flops, variant -> {
            CpuVariant.Experts how = (CpuVariant.Experts) variant;
            CpuKernels.moebius_experts(
                    engine(), address(x), chosen.ids(), chosen.weights(), x.rows(), chosen.topK(), matrices, prompts(x), experts.count(),
                    address(residual), how.product().threads(), how.product().panel(), how.product().direct(),
                    how.product().interleave(), how.fused() ? 1 : 0);
        }));
    }

    @Override
    public void gather(Tensor x, int[] rows, Tensor out) {
        requireOpen();
        for (int row : rows) {
            Operands.row(row, x);
        }
        Operands.shape(out, rows.length, x.columns());
        CpuKernels.moebius_gather(address(x), rows, rows.length, x.columns(), address(out));
    }

    @Override
    public void read(Tensor x, int row, float[] out) {
        requireOpen();
        Operands.require(out.length >= x.columns(), out.length + " floats for " + x.columns() + " columns");
        CpuKernels.moebius_read(((CpuTensor) x).rowAddress(row), x.columns(), out);
    }

    @Override
    public String build() {
        return CpuKernels.moebius_build() + "-" + instructionSet.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String device() {
        return ProcessorModel.name();
    }

    @Override
    public int cores() {
        return threads;
    }

    @Override
    public Variant defaultVariant(Site site, int tokens) {
        return catalogue.defaultVariant(site, tokens);
    }

    @Override
    public List<Variant> variants(Site site, int tokens) {
        return catalogue.variants(site, tokens);
    }

    @Override
    public void dispatch(Dispatch next) {
        dispatch = next;
    }

    private record CpuCall(Site site, int tokens, int context, double bytes, double flops, Consumer<Variant> kernel) implements KernelCall {
        @Override
        public void run(Variant variant) {
            kernel.accept(variant);
        }
    }

    /** A call after close must not reach freed memory. */
    private long engine() {
        requireOpen();
        return engine;
    }

    private void requireOpen() {
        if (engine == 0) {
            throw new IllegalStateException("this backend is closed");
        }
    }

    private static long address(Tensor tensor) {
        return ((CpuTensor) tensor).address();
    }

    private static long address(Matrix matrix) {
        return ((CpuMatrix) matrix).address();
    }

    @Override
    public void close() {
        if (engine != 0) {
            CpuKernels.moebius_destroy(engine);
            memory.close();
            engine = 0;
        }
    }
}
