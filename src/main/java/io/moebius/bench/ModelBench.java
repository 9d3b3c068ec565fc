package io.moebius.bench;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.DType;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Roofline;
import io.moebius.backend.Rope;
import io.moebius.backend.Tensor;
import io.moebius.backend.Weight;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/** Prefill and decode of one model on one backend, each beside its bound from the same run. */
public final class ModelBench implements AutoCloseable {

    private static final int STEP_TOKENS = 512;
    private static final int PREFILLS = 3;
    private static final int LEAST_STEPS = 5;
    private static final int MOST_STEPS = 200;
    private static final long DECODE_NANOS = 4_000_000_000L;

    private final MeteredBackend backend;
    private final Report.Load load;
    private final Decoder decoder;
    private final KvCache cache;
    private final int blocksEach;
    private final Random random = new Random(1);

    /**
     * @param batches sequences that decode together, each measured
     * @param tokens  longest prompt or context
     */
    public ModelBench(Checkpoint checkpoint, Backend backend, List<Integer> batches, int tokens) {
        this.backend = new MeteredBackend(backend);
        int largest = batches.stream().mapToInt(b -> b).max().orElse(1);
        long start = System.nanoTime();
        this.decoder = Transformer.load(checkpoint, this.backend, Math.max(STEP_TOKENS, largest), largest, fraction -> {});
        this.backend.settle();
        this.load = new Report.Load(checkpoint.weightBytes(), (System.nanoTime() - start) / 1e9);
        this.blocksEach = Math.ceilDiv(tokens + 1, KvCache.BLOCK_TOKENS);
        this.cache = this.backend.kvCache(decoder.kvShape(), largest * blocksEach);
    }

    /**
     * @param prompt  tokens of the prompt that is read
     * @param context tokens that each decoded token attends to
     */
    public Report run(String machine, String model, List<Integer> batches, int prompt, int context) {
        Optional<Roofline> before = backend.roofline();
        List<Timing> timings = new ArrayList<>();
        fillCache(context, batches.stream().mapToInt(b -> b).max().orElse(1));
        timings.add(prefill(prompt));
        batches.forEach(batch -> timings.add(decode(batch, context)));
        Optional<Roofline> roofline = before.flatMap(a -> backend.roofline().map(b -> new Roofline(
                Math.max(a.readBytesPerSecond(), b.readBytesPerSecond()),
                Math.max(a.flopsPerSecond(), b.flopsPerSecond()),
                a.instruction())));
        return new Report(
                machine + ", " + backend.description(),
                model,
                load,
                roofline.map(r -> new Report.Bounds(r.readBytesPerSecond(), r.flopsPerSecond(), r.instruction())).orElse(null),
                timings.stream().map(timing -> timing.result(roofline)).toList());
    }

    private record Timing(String phase, int batch, int promptTokens, int tokens, double[] all, Work work) {

        Report.Result result(Optional<Roofline> roofline) {
            double[] sorted = all.clone();
            Arrays.sort(sorted);
            double seconds = sorted[sorted.length / 2];
            return new Report.Result(
                    phase, batch, promptTokens, tokens / seconds, tokens / sorted[0],
                    roofline.map(r -> r.seconds(work.bytes(), work.flops()) / seconds).orElse(null));
        }
    }

    private Timing prefill(int prompt) {
        prefillOnce(prompt);
        double[] seconds = new double[PREFILLS];
        Work before = backend.total();
        for (int i = 0; i < PREFILLS; i++) {
            seconds[i] = prefillOnce(prompt);
        }
        Work all = backend.total().minus(before);
        return new Timing("prefill", 1, prompt, prompt, seconds, new Work(all.bytes() / PREFILLS, all.flops() / PREFILLS));
    }

    private double prefillOnce(int prompt) {
        long start = System.nanoTime();
        for (int begin = 0; begin < prompt; begin += STEP_TOKENS) {
            int count = Math.min(STEP_TOKENS, prompt - begin);
            int first = begin;
            int[] last = begin + count == prompt ? new int[] {count - 1} : new int[0];
            step(new Batch(
                    tokens(count), IntStream.range(0, count).map(i -> first + i).toArray(), new int[] {0, count},
                    new int[][] {blocks(0)}, last));
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private Timing decode(int batch, int context) {
        int[] positions = new int[batch];
        Arrays.fill(positions, context);
        int[] rows = IntStream.range(0, batch).toArray();
        int[][] tables = IntStream.range(0, batch).mapToObj(this::blocks).toArray(int[][]::new);
        int[] offsets = IntStream.rangeClosed(0, batch).toArray();
        List<Double> seconds = new ArrayList<>();
        Work work = null;
        long begin = System.nanoTime();
        for (int i = 0; i < LEAST_STEPS || i < MOST_STEPS && System.nanoTime() - begin < DECODE_NANOS; i++) {
            Work before = backend.total();
            long start = System.nanoTime();
            step(new Batch(tokens(batch), positions, offsets, tables, rows, positions));
            seconds.add((System.nanoTime() - start) / 1e9);
            work = backend.total().minus(before);
        }
        double[] warm = seconds.stream().skip(2).mapToDouble(d -> d).toArray();
        return new Timing("decode", batch, context, batch, warm, work);
    }

    /** One step, waited for. */
    private void step(Batch batch) {
        Tensor logits = decoder.forward(batch, cache);
        if (logits.rows() > 0) {
            float[] row = new float[logits.columns()];
            backend.read(logits, 0, row);
            if (!Float.isFinite(row[0])) {
                throw new IllegalStateException("the model's logits are not finite numbers; nothing that is measured on it counts");
            }
        }
    }

    /** Writes keys and values of every sequence up to the context, without paying for the rest of a prompt. */
    private void fillCache(int context, int sequences) {
        KvCache.Shape shape = decoder.kvShape();
        int width = shape.heads() * shape.headDim();
        Matrix zeros = backend.loadTable(Weight.plain("zeros", DType.BF16, 1, width, Arena.ofAuto().allocate((long) DType.BF16.bytes() * width, 64)));
        Tensor rows = backend.tensor(STEP_TOKENS, width);
        Rope rope = Rope.of(shape.headDim(), 1e6);
        for (int sequence = 0; sequence < sequences; sequence++) {
            for (int begin = 0; begin < context; begin += STEP_TOKENS) {
                int count = Math.min(STEP_TOKENS, context - begin);
                int first = begin;
                Batch batch = new Batch(
                        new int[count], IntStream.range(0, count).map(i -> first + i).toArray(), new int[] {0, count},
                        new int[][] {blocks(sequence)}, new int[0]);
                for (int layer = 0; layer < shape.layers(); layer++) {
                    // Anew for each layer: what is rotated is used up.
                    backend.embed(batch, zeros, rows.first(count));
                    backend.ropeAndStore(batch, rope, rows.first(count), rows.first(count), rows.first(count), cache, layer);
                }
            }
        }
    }

    private int[] blocks(int sequence) {
        return IntStream.range(sequence * blocksEach, (sequence + 1) * blocksEach).toArray();
    }

    private int[] tokens(int count) {
        return random.ints(count, 0, decoder.vocabulary()).toArray();
    }

    @Override
    public void close() {
        backend.close();
    }
}
