package io.moebius.backend.cuda;

import static io.moebius.backend.cuda.KernelLayout.QUERY_ROWS;
import static io.moebius.backend.cuda.KernelLayout.SPLIT;

import io.moebius.backend.KvCache;
import io.moebius.backend.Rope;
import io.moebius.backend.Site;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Rotation, the cache's write, and attention over the cache's pages. */
final class AttentionKernels {

    /** The largest third extent of a grid. */
    private static final int MOST_SPLITS = 65535;
    /** Of the decodes' partial sums; where more would be needed, tiles of queries are used, which need none. */
    static final long MOST_PARTIAL_BYTES = 256L << 20;

    private final KernelTable table;
    private final Launcher launcher;
    private final Calls calls;
    private final CudaCatalogue catalogue;
    private final StepInputs inputs;
    private final DeviceMemory memory;
    private final Driver driver;
    private final long stream;
    private final Scratch rows;
    private final Scratch rotated;
    private final Scratch partials;
    private final Map<List<CudaMatrix>, Long> biases = new HashMap<>();

    AttentionKernels(
            Driver driver, DeviceMemory memory, KernelTable table, Launcher launcher, Calls calls, CudaCatalogue catalogue,
            StepInputs inputs, long stream) {
        this.driver = driver;
        this.memory = memory;
        this.table = table;
        this.launcher = launcher;
        this.calls = calls;
        this.catalogue = catalogue;
        this.inputs = inputs;
        this.stream = stream;
        this.rows = new Scratch(memory);
        this.rotated = new Scratch(memory);
        this.partials = new Scratch(memory);
    }

    /** bf16 rows of query, key and value side by side, of {@code width} channels each. */
    long qkv(int tokens, int width) {
        return rows.atLeast(2L * tokens * width);
    }

    /** Rows that were not multiplied into their place. */
    void place(Operand from, long to, int rows, int columns, int width) {
        for (int row = 0; row < rows; row++) {
            driver.copy(to + 2L * row * width, from.address() + 2 * row * from.pitch(), 2L * columns, stream);
        }
    }

    /** Biases of query, key and value side by side, or 0. */
    long biases(CudaMatrix... parts) {
        if (Arrays.stream(parts).anyMatch(Objects::isNull)) {
            return 0;
        }
        return biases.computeIfAbsent(List.of(parts), all -> {
            long address = memory.allocate(all.stream().mapToLong(part -> 4L * part.columns()).sum());
            long at = address;
            for (CudaMatrix part : all) {
                driver.copy(at, part.vector(), 4L * part.columns(), stream);
                at += 4L * part.columns();
            }
            return address;
        });
    }

    /**
     * @param heads     of the query
     * @param queryNorm [headDim] or 0
     */
    record Rotation(Rope rope, int heads, long bias, long queryNorm, long keyNorm, double epsilon) {}

    Deferred.Rotated rotateAndStore(StepInputs.Uploaded batch, Rotation how, long qkv, CudaKvCache cache, int layer) {
        KvCache.Shape shape = cache.shape();
        long query = rotated.atLeast(2L * batch.size() * how.heads() * cache.paddedDim());
        try (CudaKernels.Rope parameters = new CudaKernels.Rope()) {
            parameters.qkv(qkv);
            parameters.qkv_pitch((how.heads() + 2L * shape.heads()) * shape.headDim());
            parameters.bias(how.bias());
            parameters.query_norm(how.queryNorm());
            parameters.key_norm(how.keyNorm());
            parameters.epsilon((float) how.epsilon());
            parameters.turns(inputs.turns(how.rope()));
            parameters.query(query);
            parameters.keys(cache.keys(layer));
            parameters.values(cache.values(layer));
            parameters.positions(batch.positions());
            parameters.sequences(batch.sequences());
            parameters.tables(batch.tables());
            parameters.table_offsets(batch.tableOffsets());
            parameters.key_scale(cache.keyScale(layer));
            parameters.value_scale(cache.valueScale(layer));
            parameters.tokens(batch.size());
            parameters.heads(how.heads());
            parameters.kv_heads(shape.heads());
            parameters.head_dim(shape.headDim());
            parameters.padded_dim(cache.paddedDim());
            parameters.cache_type(cache.type());
            launcher.launch(table.only(KernelTable.Family.ROPE), parameters, "rotation in layer " + layer);
        }
        return new Deferred.Rotated(query, batch.size(), how.heads() * shape.headDim());
    }

    /** @param scale of e4m3 results */
    void attend(Deferred.Attended what, Operand out, float scale) {
        StepInputs.Uploaded batch = what.batch();
        KvCache.Shape shape = what.cache().shape();
        int heads = what.columns() / shape.headDim();
        Site site = catalogue.attention(heads, shape);
        double bytes = 2.0 * shape.tokensRead(batch.batch()) * CudaKvCache.blockBytes(shape, what.cache().paddedDim()) / KvCache.BLOCK_TOKENS;
        double flops = 4.0 * shape.tokensSeen(batch.batch()) * heads * shape.headDim();
        calls.run(site, batch.size(), bytes, flops, variant -> {
            try (CudaKernels.Attend parameters = new CudaKernels.Attend()) {
                describe(parameters, what, heads, out, scale);
                if (variant instanceof CudaVariant.TiledAttention(boolean splits)) {
                    byTiles(parameters, what, heads, out, splits);
                } else {
                    parameters.tokens(batch.size());
                    launcher.launch(table.only(KernelTable.Family.ATTEND_GENERAL), parameters, site(what));
                }
            }
        });
    }

    private void byTiles(CudaKernels.Attend parameters, Deferred.Attended what, int heads, Operand out, boolean bySplits) {
        StepInputs.Uploaded batch = what.batch();
        int splits = splits(what.cache().shape(), batch.longest());
        long room = 4L * batch.decodes() * heads * splits * (what.cache().paddedDim() + 2);
        int decodes = bySplits && room <= MOST_PARTIAL_BYTES && splits <= MOST_SPLITS ? batch.decodes() : 0;
        if (decodes > 0) {
            decode(parameters, what, decodes, splits, partials.atLeast(room));
        }
        if (decodes < batch.size()) {
            prefill(parameters, what, heads, decodes, out);
        }
    }

    private void decode(CudaKernels.Attend parameters, Deferred.Attended what, int decodes, int splits, long room) {
        parameters.tokens(decodes);
        parameters.max_splits(splits);
        parameters.partials(room);
        launch(KernelTable.Family.ATTEND_DECODE, parameters, what);
        if (splits > 1) {
            launcher.launch(table.only(KernelTable.Family.ATTEND_MERGE), parameters, site(what));
        }
    }

    /** The tokens from {@code first} on: all, or the batch's tail. */
    private void prefill(CudaKernels.Attend parameters, Deferred.Attended what, int heads, int first, Operand out) {
        StepInputs.Uploaded batch = what.batch();
        int perTile = QUERY_ROWS / (heads / what.cache().shape().heads());
        parameters.tokens(batch.size() - first);
        parameters.query_tiles(batch.tiles(first, perTile));
        if (first > 0) {
            parameters.query(what.query().address() + 2L * first * heads * what.cache().paddedDim());
            parameters.out(out.address() + first * out.pitchBytes());
            parameters.positions(batch.positions() + 4L * first);
            parameters.sequences(batch.tailSequences());
            parameters.table_offsets(batch.tableOffsets() + 4L * first);
            parameters.offsets(batch.tailOffsets());
        }
        launch(KernelTable.Family.ATTEND_PREFILL, parameters, what);
    }

    private void describe(CudaKernels.Attend parameters, Deferred.Attended what, int heads, Operand out, float scale) {
        StepInputs.Uploaded batch = what.batch();
        CudaKvCache cache = what.cache();
        parameters.query(what.query().address());
        parameters.keys(cache.keys(what.layer()));
        parameters.values(cache.values(what.layer()));
        parameters.out(out.address());
        parameters.out_pitch(out.pitch());
        parameters.out_type(out.type());
        parameters.out_scale(scale);
        parameters.positions(batch.positions());
        parameters.sequences(batch.sequences());
        parameters.tables(batch.tables());
        parameters.table_offsets(batch.tableOffsets());
        parameters.offsets(batch.offsets());
        parameters.key_scale(cache.keyScale(what.layer()));
        parameters.value_scale(cache.valueScale(what.layer()));
        parameters.heads(heads);
        parameters.kv_heads(cache.shape().heads());
        parameters.head_dim(cache.shape().headDim());
        parameters.padded_dim(cache.paddedDim());
        parameters.cache_type(cache.type());
        parameters.window(cache.shape().window());
    }

    private void launch(KernelTable.Family family, CudaKernels.Attend parameters, Deferred.Attended what) {
        launcher.launch(table.attention(family, what.cache().paddedDim(), what.cache().type(), catalogue.hopper()), parameters, site(what));
    }

    private static String site(Deferred.Attended what) {
        return "attention in layer " + what.layer();
    }

    /** Splits that a token at the position sees. */
    static int splits(KvCache.Shape shape, int position) {
        int all = position / SPLIT + 1;
        return shape.window() == 0 ? all : Math.min(all, (shape.window() + SPLIT - 2) / SPLIT + 1);
    }
}
