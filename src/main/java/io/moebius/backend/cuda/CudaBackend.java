package io.moebius.backend.cuda;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DeviceSampler;
import io.moebius.backend.DeviceLostException;
import io.moebius.backend.Dispatch;
import io.moebius.backend.Experts;
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
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * CUDA kernels over packed weights, with bf16 or e4m3 activations around a float32 residual. Norms, gated products and attention are
 * computed when a product needs them, in the format that it reads. Checks every index that becomes an address.
 */
public final class CudaBackend implements Backend, Tunable {

    private final Activations activations;
    private final String build;
    private final Driver driver;
    private final long stream;
    private final DeviceMemory memory;
    private final KernelTable table = KernelTable.read();
    private final CudaCatalogue catalogue;
    private final Calls calls;
    private final WeightUpload upload;
    private final Launcher launcher;
    private final StepInputs inputs;
    private final QueryKeyValue queryKeyValue;
    private final Routers routers;
    private final GatedWeights gatedWeights;
    private final Evaluation evaluation;
    private final DeferredCalls deferredCalls;
    private final ExpertLayers expertLayers;
    private final StepGraphs graphs;
    private final RowCopies rowCopies;
    private final Reserve reserve = new Reserve();
    private CudaSampler sampler;
    private boolean open = true;

    /**
     * @param driver of the device; this backend closes it
     * @param fatbin the kernels
     * @param build  what they were built from
     * @throws CudaException if they don't run on the device
     */
    public CudaBackend(Activations activations, LibraryDriver driver, byte[] fatbin, String build) {
        this(activations, (Driver) driver, fatbin, build);
    }

    CudaBackend(Activations activations, Driver driver, byte[] fatbin, String build) {
        this.activations = activations;
        this.build = build;
        this.driver = driver;
        stream = driver.stream();
        memory = new DeviceMemory(driver, stream);
        launcher = new Launcher(driver, fatbin, stream);
        catalogue = new CudaCatalogue(table, driver.device());
        calls = new Calls(driver, stream, call -> call.run(defaultVariant(call.site(), call.tokens())));
        upload = new WeightUpload(driver, memory, launcher, table, stream);
        inputs = new StepInputs(driver, memory, launcher, table, stream);
        Norms norms = new Norms(driver, memory, launcher, table, stream);
        Products products = new Products(memory, launcher, calls, catalogue, driver.device().computeCapability());
        AttentionKernels attention = new AttentionKernels(driver, memory, table, launcher, calls, catalogue, inputs, stream);
        gatedWeights = new GatedWeights(upload);
        InputFormats formats = new InputFormats(activations);
        evaluation = new Evaluation(formats, products, norms, attention, upload, gatedWeights);
        deferredCalls = new DeferredCalls(evaluation);
        queryKeyValue = new QueryKeyValue(formats, evaluation, products, attention, new JoinedWeights(driver, memory, upload, stream));
        routers = new Routers(launcher, table, formats, evaluation, memory);
        expertLayers = new ExpertLayers(formats, evaluation, products, gatedWeights);
        graphs = new StepGraphs(driver, memory, inputs, evaluation, stream);
        rowCopies = new RowCopies(driver, evaluation, stream);
    }

    @Override
    public String description() {
        Driver.Device device = driver.device();
        return "cuda (%s, compute capability %d.%d, %d multiprocessors)".formatted(
                device.name(), device.computeCapability() / 10, device.computeCapability() % 10, device.multiprocessors());
    }

    @Override
    public Activations activations() {
        return activations;
    }

    @Override
    public Tensor tensor(int rows, int columns) {
        requireOpen();
        reserve.activations(rows, columns);
        return new CudaTensor(new ActivationBuffer(memory, (long) rows * columns), rows, columns);
    }

    @Override
    public Routing routing(int tokens, int topK) {
        requireOpen();
        reserve.routing(tokens, topK);
        return CudaRouting.of(memory, tokens, topK);
    }

    @Override
    public Matrix load(Weight weight) {
        requireOpen();
        CudaMatrix matrix = new CudaMatrix(weight, upload);
        if (weight.rows() == 1) {
            matrix.vector();
        } else {
            matrix.packed();
        }
        return matrix;
    }

    @Override
    public List<Matrix> loadTogether(List<Weight> weights) {
        requireOpen();
        requireExperts(weights.size());
        reserve.experts(weights.getFirst().rows());
        PackedWeights packed = upload.pack(weights);
        Stream.Builder<Matrix> matrices = Stream.builder();
        for (int i = 0; i < weights.size(); i++) {
            matrices.add(new CudaMatrix(weights.get(i), upload, packed, i));
        }
        return matrices.build().toList();
    }

    /** The layout follows from the first use. */
    @Override
    public Matrix loadTable(Weight weight) {
        requireOpen();
        reserve.table(weight.rows(), weight.columns());
        return new CudaMatrix(weight, upload);
    }

    @Override
    public void prepareGates(List<Matrix> gates, List<Matrix> ups) {
        requireOpen();
        gatedWeights.of(matrices(gates), matrices(ups));
    }

    @Override
    public void settle() {
        requireOpen();
        upload.release();
    }

    @Override
    public OptionalLong freeBytes() {
        settle();
        return OptionalLong.of(Math.max(0, driver.freeBytes() - reserve.bytes()));
    }

    @Override
    public long kvBlockBytes(KvCache.Shape shape) {
        return 2 * shape.layers() * CudaKvCache.blockBytes(shape, table.paddedDim(shape.headDim()));
    }

    @Override
    public String nativeKvType() {
        return "bf16";
    }

    @Override
    public KvCache kvCache(KvCache.Shape shape, int blocks) {
        requireOpen();
        upload.release();
        int padded = table.paddedDim(shape.headDim());
        long bytes = CudaKvCache.bytes(shape, padded, blocks);
        return new CudaKvCache(shape, blocks, padded, memory.zeroed(bytes), memory.zeroed(bytes));
    }

    @Override
    public Optional<DeviceSampler> sampler(int rows, int vocabulary) {
        requireOpen();
        graphs.close();
        sampler = new CudaSampler(driver, memory, launcher, table, evaluation, stream, rows, vocabulary);
        return Optional.of(sampler);
    }

    @Override
    public Tensor run(Program program, Batch batch, KvCache cache) {
        requireOpen();
        if (StepGraphs.suits(batch) && !calls.timed()) {
            return graphs.run(program, batch, (CudaKvCache) cache, sampler == null ? 0 : sampler.drawnRows());
        }
        Tensor logits = program.run(batch, cache);
        if (logits.rows() > 0) {
            evaluation.floats((CudaTensor) logits);
        }
        return logits;
    }

    @Override
    public void embed(Batch batch, Matrix table, Tensor out) {
        requireOpen();
        Operands.shape(out, batch.size(), table.columns());
        int drawn = sampler == null ? 0 : sampler.drawnRows();
        StepGraphs.checkTokens(batch, table.rows(), drawn);
        graphs.embeds(table.rows());
        settleBefore(batch);
        CudaTensor to = (CudaTensor) out;
        evaluation.overwrite(to.buffer());
        routers.embed(inputs.of(batch), sampler == null ? 0 : sampler.drawnTokens(), (CudaMatrix) table, to);
        to.buffer().floats = true;
    }

    @Override
    public void rmsNorm(Tensor x, Matrix weight, double epsilon, Tensor out) {
        requireOpen();
        Operands.shape(weight, 1, x.columns());
        Operands.shape(out, x.rows(), x.columns());
        deferredCalls.rmsNorm((CudaTensor) x, (CudaMatrix) weight, epsilon, buffer(out));
    }

    @Override
    public void project(Tensor x, Matrix weight, Tensor out) {
        requireOpen();
        Operands.shape(x, x.rows(), weight.columns());
        Operands.shape(out, x.rows(), weight.rows());
        deferredCalls.project((CudaTensor) x, (CudaMatrix) weight, buffer(out));
    }

    @Override
    public void projectAdd(Tensor x, Matrix weight, Tensor residual) {
        requireOpen();
        Operands.shape(x, x.rows(), weight.columns());
        Operands.shape(residual, x.rows(), weight.rows());
        evaluation.add((CudaTensor) x, (CudaMatrix) weight, (CudaTensor) residual);
    }

    @Override
    public void addBias(Tensor x, Matrix bias) {
        requireOpen();
        Operands.shape(bias, 1, x.columns());
        deferredCalls.addBias((CudaTensor) x, (CudaMatrix) bias);
    }

    @Override
    public void swiGlu(Tensor gate, Tensor up) {
        requireOpen();
        Operands.shape(up, gate.rows(), gate.columns());
        deferredCalls.swiGlu(buffer(gate), buffer(up));
    }

    @Override
    public void ropeAndStore(Batch batch, Rope rope, Tensor query, Tensor key, Tensor value, KvCache cache, int layer) {
        CudaKvCache pages = (CudaKvCache) cache;
        KvCache.Shape shape = pages.shape();
        Operands.shape(query, batch.size(), query.columns());
        Operands.shape(key, batch.size(), shape.heads() * shape.headDim());
        Operands.shape(value, batch.size(), shape.heads() * shape.headDim());
        Operands.layer(layer, shape);
        StepInputs.Uploaded uploaded = uploaded(batch, pages);
        evaluation.settleAttention();
        queryKeyValue.rotate(uploaded, rope, List.of((CudaTensor) query, (CudaTensor) key, (CudaTensor) value), pages, layer);
    }

    @Override
    public void attend(Batch batch, Tensor query, KvCache cache, int layer, Tensor out) {
        CudaKvCache pages = (CudaKvCache) cache;
        int heads = query.columns() / pages.shape().headDim();
        Operands.require(heads % pages.shape().heads() == 0, heads + " query heads over " + pages.shape().heads() + " key heads");
        Operands.shape(query, batch.size(), heads * pages.shape().headDim());
        Operands.shape(out, batch.size(), query.columns());
        Operands.layer(layer, pages.shape());
        if (!(buffer(query).deferred instanceof Deferred.Rotated rotated)) {
            throw new IllegalArgumentException("only the queries that were rotated last can be attended with");
        }
        evaluation.attendLater((CudaTensor) out, new Deferred.Attended(uploaded(batch, pages), rotated, pages, layer));
    }

    @Override
    public void route(Tensor x, Matrix router, Routing out) {
        requireOpen();
        CudaRouting routing = (CudaRouting) out;
        Operands.route(x, router, routing);
        requireExperts(router.rows());
        expertLayers.finish(routing, x.columns());
        routers.route((CudaTensor) x, (CudaMatrix) router, routing);
    }

    @Override
    public void experts(Tensor x, Routing routing, Experts experts, Tensor residual) {
        requireOpen();
        CudaRouting chosen = (CudaRouting) routing;
        Operands.experts(x, chosen, experts, residual);
        expertLayers.run((CudaTensor) x, chosen, experts, (CudaTensor) residual);
    }

    @Override
    public void gather(Tensor x, int[] rows, Tensor out) {
        requireOpen();
        for (int row : rows) {
            Operands.row(row, x);
        }
        Operands.shape(out, rows.length, x.columns());
        rowCopies.gather((CudaTensor) x, rows, (CudaTensor) out);
    }

    @Override
    public void read(Tensor x, int row, float[] out) {
        requireOpen();
        Operands.row(row, x);
        Operands.require(out.length >= x.columns(), out.length + " floats for " + x.columns() + " columns");
        rowCopies.read((CudaTensor) x, row, out);
    }

    @Override
    public String build() {
        return build;
    }

    @Override
    public String device() {
        return driver.device().name();
    }

    @Override
    public int cores() {
        return driver.device().multiprocessors();
    }

    @Override
    public int driver() {
        return driver.device().driverVersion() / 1000;
    }

    /** A step of a size is run call by call, then recorded. */
    @Override
    public int warmUpSteps() {
        return 2;
    }

    @Override
    public Optional<Roofline> roofline() {
        requireOpen();
        return new Yardsticks(driver, launcher, table, stream).roofline(activations);
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
    public List<Variant> recordedSizes() {
        return RecordedSizes.ALL;
    }

    @Override
    public void dispatch(Dispatch next) {
        graphs.begin((RecordedSizes) next.recordedSizes().orElse(RecordedSizes.DEFAULT));
        calls.dispatch(next);
    }

    private static List<CudaMatrix> matrices(List<Matrix> all) {
        return all.stream().map(CudaMatrix.class::cast).toList();
    }

    private static ActivationBuffer buffer(Tensor tensor) {
        return ((CudaTensor) tensor).buffer();
    }

    private StepInputs.Uploaded uploaded(Batch batch, CudaKvCache cache) {
        requireOpen();
        settleBefore(batch);
        return inputs.of(batch, cache);
    }

    /** Attention that nobody has asked for yet needs the batch that it was called with. */
    private void settleBefore(Batch batch) {
        if (!inputs.isCurrent(batch)) {
            evaluation.settleAttention();
        }
    }

    private static void requireExperts(int count) {
        Operands.require(count <= KernelLayout.MOST_EXPERTS, "%d experts; the kernels take at most %d".formatted(count, KernelLayout.MOST_EXPERTS));
    }

    private void requireOpen() {
        if (!open) {
            throw new IllegalStateException("this backend is closed");
        }
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            try {
                driver.synchronize(stream);
                graphs.close();
                upload.release();
                memory.close();
                driver.close();
            } catch (DeviceLostException e) {
                // Its memory is lost with it.
            }
        }
    }
}
