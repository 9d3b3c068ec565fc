package io.moebius.backend.cuda;

import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.Program;
import io.moebius.backend.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Steps of decodes alone, recorded and repeated: one recording for each of the recorded sizes and each power of two of splits of the
 * longest context. A size is run call by call the first time, which allocates what it needs, and recorded the second time.
 */
final class StepGraphs implements AutoCloseable {

    private record Key(Program program, KvCache cache, int rows, int splits) {}

    /** @param graph 0: not recorded yet */
    private record Recording(long graph, CudaTensor logits, int vocabulary) {}

    private final Driver driver;
    private final DeviceMemory memory;
    private final StepInputs inputs;
    private final Evaluation evaluation;
    private final long stream;
    private final Map<Key, Recording> recordings = new HashMap<>();
    private RecordedSizes sizes = RecordedSizes.DEFAULT;
    private long generation;
    /** Rows of the table that the running program embeds tokens with. */
    private int vocabulary;

    StepGraphs(Driver driver, DeviceMemory memory, StepInputs inputs, Evaluation evaluation, long stream) {
        this.driver = driver;
        this.memory = memory;
        this.inputs = inputs;
        this.evaluation = evaluation;
        this.stream = stream;
    }

    /** Whether every token is a sequence of its own and all logits are wanted. */
    static boolean suits(Batch batch) {
        return batch.size() > 0 && batch.sequences() == batch.size() && batch.logitRows().length == batch.size();
    }

    /** Forgets all recordings, to make those of {@code sizes}. */
    void begin(RecordedSizes next) {
        close();
        sizes = next;
    }

    void embeds(int rows) {
        vocabulary = rows;
    }

    /** @param drawn rows of the last draw */
    Tensor run(Program program, Batch batch, CudaKvCache cache, int drawn) {
        cache.check(batch);
        int most = program.mostLogitRows();
        int rows = batch.size() > most ? batch.size() : Math.min(sizes.rows(batch.size()), most);
        int longest = Arrays.stream(batch.positions()).max().orElseThrow();
        int splits = powerOfTwo(AttentionKernels.splits(cache.shape(), longest));
        Batch padded = padded(batch, rows, cache.blocks());
        Key key = new Key(program, cache, rows, splits);
        evaluation.settleAttention();
        inputs.checked(padded, cache, splits * KernelLayout.SPLIT - 1);
        // The inputs may have got more room, elsewhere.
        if (memory.generation() != generation) {
            close();
            generation = memory.generation();
        }
        Recording recording = recordings.get(key);
        if (recording != null) {
            checkTokens(batch, recording.vocabulary(), drawn);
        }
        if (recording == null) {
            recordings.put(key, new Recording(0, computed(program, padded, cache), vocabulary));
        } else if (recording.graph() == 0) {
            recordings.put(key, record(program, padded, cache));
        }
        Recording known = recordings.get(key);
        if (known.graph() != 0) {
            driver.launchGraph(known.graph(), stream);
            known.logits().buffer().clear();
            known.logits().buffer().floats = true;
        }
        return known.logits().first(batch.size());
    }

    private Recording record(Program program, Batch batch, CudaKvCache cache) {
        memory.seal(true);
        CudaTensor logits;
        try {
            driver.beginCapture(stream);
            logits = computed(program, batch, cache);
        } catch (RuntimeException | Error e) {
            abandon(e);
            throw e;
        } finally {
            memory.seal(false);
        }
        return new Recording(driver.endCapture(stream), logits, vocabulary);
    }

    private void abandon(Throwable cause) {
        try {
            driver.destroyGraph(driver.endCapture(stream));
        } catch (RuntimeException e) {
            cause.addSuppressed(e);
        }
    }

    private CudaTensor computed(Program program, Batch batch, CudaKvCache cache) {
        CudaTensor logits = (CudaTensor) program.run(batch, cache);
        evaluation.floats(logits);
        return logits;
    }

    /** Further rows are sequences of one token in the block that is nobody's. */
    private static Batch padded(Batch batch, int rows, int nobodysBlock) {
        if (rows == batch.size()) {
            return new Batch(batch.tokens(), batch.positions(), batch.offsets(), batch.blockTables(), batch.logitRows(), batch.promptLengths());
        }
        int[][] tables = Arrays.copyOf(batch.blockTables(), rows);
        Arrays.fill(tables, batch.size(), rows, new int[] {nobodysBlock});
        return new Batch(
                Arrays.copyOf(batch.tokens(), rows), Arrays.copyOf(batch.positions(), rows), IntStream.rangeClosed(0, rows).toArray(),
                tables, IntStream.range(0, rows).toArray(), Arrays.copyOf(batch.promptLengths(), rows));
    }

    /** @param drawn rows of the last draw */
    static void checkTokens(Batch batch, int vocabulary, int drawn) {
        for (int token : batch.tokens()) {
            if (token < -drawn || token >= vocabulary) {
                throw new IllegalArgumentException("token %d of %d, or drawn in one of %d rows".formatted(token, vocabulary, drawn));
            }
        }
    }

    private static int powerOfTwo(int least) {
        return Integer.highestOneBit(Math.max(1, 2 * least - 1));
    }

    /** Forgets all recordings. */
    @Override
    public void close() {
        recordings.values().stream().map(Recording::graph).filter(graph -> graph != 0).forEach(driver::destroyGraph);
        recordings.clear();
    }
}
