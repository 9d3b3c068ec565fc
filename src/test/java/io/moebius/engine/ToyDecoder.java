package io.moebius.engine;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DeviceSampler;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import io.moebius.model.Decoder;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Logits are a hash of the whole history, which it knows only from what it stored in the cache: a wrong block table, a
 * block shared by mistake or a position left out changes every later token or makes logits NaN, in its own row alone.
 */
final class ToyDecoder implements Decoder {

    static final int VOCABULARY = 64;

    private final List<Batch> batches = new CopyOnWriteArrayList<>();
    private final Semaphore forwards = new Semaphore(0);
    private final Optional<ToyDevice> device;
    private final Backend backend = (Backend) Proxy.newProxyInstance(
            Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> switch (method.getName()) {
                case "read" -> read((Rows) arguments[0], (int) arguments[1], (float[]) arguments[2]);
                default -> throw new UnsupportedOperationException(method.getName());
            });
    /** Called before each step, in which tests may wait or throw. */
    volatile Consumer<Batch> beforeStep = batch -> {};
    /** A token after which logits hold a NaN; -1: none. */
    volatile int poison = -1;

    record Cache(int blocks, int[] tokens, int[] positions) implements KvCache {
        Cache(int blocks) {
            this(blocks, new int[blocks * BLOCK_TOKENS], new int[blocks * BLOCK_TOKENS]);
        }
    }

    record Rows(int rows, CompletableFuture<float[][]> values) implements Tensor {

        @Override
        public int columns() {
            return VOCABULARY;
        }

        @Override
        public Tensor reshape(int rows, int columns) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Tensor first(int count) {
            throw new UnsupportedOperationException();
        }
    }

    private ToyDecoder(Optional<ToyDevice> device) {
        this.device = device;
    }

    /** Has computed a step when {@link #forward} returns. */
    static ToyDecoder synchronous() {
        return new ToyDecoder(Optional.empty());
    }

    /** Computes steps, and draws their tokens, on a device of its own. */
    static ToyDecoder asynchronous() {
        return new ToyDecoder(Optional.of(new ToyDevice()));
    }

    @Override
    public Optional<DeviceSampler> sampler() {
        return device.map(DeviceSampler.class::cast);
    }

    private static Void read(Rows rows, int row, float[] out) {
        System.arraycopy(rows.values().join()[row], 0, out, 0, VOCABULARY);
        return null;
    }

    static float[] logits(int[] history, int length) {
        long hash = 1;
        for (int i = 0; i < length; i++) {
            hash = (hash ^ history[i]) * 0x9e3779b97f4a7c15L;
            hash ^= hash >>> 29;
        }
        float[] logits = new float[VOCABULARY];
        for (int id = 0; id < VOCABULARY; id++) {
            hash = hash * 6364136223846793005L + 1442695040888963407L;
            logits[id] = (hash >>> 40) * 0x1p-21f;
        }
        return logits;
    }

    /** Those that have been computed. */
    List<Batch> batches() {
        return List.copyOf(batches);
    }

    @Override
    public Backend backend() {
        return backend;
    }

    @Override
    public int vocabulary() {
        return VOCABULARY;
    }

    @Override
    public int maxBatchTokens() {
        return 4096;
    }

    @Override
    public KvCache.Shape kvShape() {
        return new KvCache.Shape(1, 1, 1);
    }

    /** Waits for as many further calls of {@link #forward}. */
    void awaitForwards(int count) {
        forwards.acquireUninterruptibly(count);
    }

    @Override
    public Tensor forward(Batch batch, KvCache cache) {
        forwards.release();
        CompletableFuture<float[][]> values = device.map(on -> on.enqueue(() -> compute(batch, (Cache) cache)))
                .orElseGet(() -> CompletableFuture.completedFuture(compute(batch, (Cache) cache)));
        return new Rows(batch.logitRows().length, values);
    }

    private float[][] compute(Batch batch, Cache cache) {
        beforeStep.accept(batch);
        batches.add(batch);
        float[][] rows = new float[batch.logitRows().length][];
        int row = 0;
        for (int s = 0; s < batch.sequences(); s++) {
            for (int t = batch.offsets()[s]; t < batch.offsets()[s + 1]; t++) {
                int slot = slot(batch.blockTables()[s], batch.positions()[t]);
                int token = batch.tokens()[t];
                cache.tokens()[slot] = device.map(on -> on.token(token)).orElse(token);
                cache.positions()[slot] = batch.positions()[t];
            }
            int last = batch.offsets()[s + 1] - 1;
            if (row < rows.length && batch.logitRows()[row] == last) {
                rows[row++] = logitsFrom(cache, batch.blockTables()[s], batch.positions()[last] + 1);
            }
        }
        if (row != rows.length) {
            throw new IllegalArgumentException("logits asked for tokens that are not the last of their sequence");
        }
        return rows;
    }

    private float[] logitsFrom(Cache cache, int[] blockTable, int length) {
        int[] history = new int[length];
        for (int position = 0; position < length; position++) {
            int slot = slot(blockTable, position);
            if (cache.positions()[slot] != position) {
                float[] nonsense = new float[VOCABULARY];
                Arrays.fill(nonsense, Float.NaN);
                return nonsense;
            }
            history[position] = cache.tokens()[slot];
        }
        float[] logits = logits(history, length);
        if (history[length - 1] == poison) {
            logits[5] = Float.NaN;
        }
        return logits;
    }

    private static int slot(int[] blockTable, int position) {
        return blockTable[position / KvCache.BLOCK_TOKENS] * KvCache.BLOCK_TOKENS + position % KvCache.BLOCK_TOKENS;
    }
}
