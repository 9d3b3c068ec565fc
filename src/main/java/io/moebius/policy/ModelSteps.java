package io.moebius.policy;

import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import io.moebius.model.Decoder;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Steps of a decoder on random tokens: its real weights, layer after layer, and the routing that they give. */
public final class ModelSteps implements Steps {

    /** Of the prompt that all decoding sequences have behind them: as much as one step reads. */
    private static final int LEAST_CONTEXT_BLOCKS = 3;
    private static final int MOST_CONTEXT_BLOCKS = MOST_CONTEXT / KvCache.BLOCK_TOKENS;

    private static final long SEED = 20240229;

    private final Decoder decoder;
    private final KvCache cache;
    private final int maxSequences;
    private final int contextBlocks;
    private final float[] logits;
    private Tensor last;
    private int lastRows;

    public ModelSteps(Decoder decoder, KvCache cache, int maxSequences) {
        this.decoder = decoder;
        this.cache = cache;
        this.maxSequences = maxSequences;
        int promptBlocks = decoder.maxBatchTokens() / KvCache.BLOCK_TOKENS;
        this.contextBlocks = Math.clamp(Math.min(promptBlocks, cache.blocks() / 2), LEAST_CONTEXT_BLOCKS, MOST_CONTEXT_BLOCKS);
        this.logits = new float[decoder.vocabulary()];
    }

    @Override
    public boolean possible(Phase phase, int tokens) {
        return tokens <= decoder.maxBatchTokens() && switch (phase) {
            case DECODE -> tokens <= maxSequences && contextBlocks + tokens <= cache.blocks();
            case PREFILL -> Math.ceilDiv(tokens, KvCache.BLOCK_TOKENS) <= cache.blocks();
            case MIXED -> tokens + DECODES_BESIDE <= decoder.maxBatchTokens() && DECODES_BESIDE < maxSequences
                    && contextBlocks + DECODES_BESIDE + longestPromptBlocks() <= cache.blocks();
        };
    }

    @Override
    public void fillCache() {
        run(Phase.PREFILL, Math.min(context(), decoder.maxBatchTokens()));
    }

    @Override
    public void run(Phase phase, int tokens) {
        Batch batch = switch (phase) {
            case DECODE -> decode(tokens);
            case PREFILL -> prefill(tokens);
            case MIXED -> mixed(tokens);
        };
        last = decoder.forward(batch, cache);
        lastRows = batch.logitRows().length;
        decoder.backend().read(last, 0, logits);
    }

    @Override
    public long fingerprint() {
        long fingerprint = 0;
        for (int row = 0; row < lastRows; row++) {
            decoder.backend().read(last, row, logits);
            for (float logit : logits) {
                fingerprint = 31 * fingerprint + Float.floatToRawIntBits(logit);
            }
        }
        return fingerprint;
    }

    private int context() {
        return contextBlocks * KvCache.BLOCK_TOKENS;
    }

    /** Each sequence has the prompt's blocks and one of its own. */
    private Batch decode(int sequences) {
        int[][] tables = IntStream.range(contextBlocks, contextBlocks + sequences)
                .mapToObj(own -> IntStream.concat(IntStream.range(0, contextBlocks), IntStream.of(own)).toArray())
                .toArray(int[][]::new);
        int[] positions = new int[sequences];
        Arrays.fill(positions, context());
        return new Batch(
                randomTokens(sequences), positions, IntStream.rangeClosed(0, sequences).toArray(), tables,
                IntStream.range(0, sequences).toArray(), positions);
    }

    private Batch prefill(int tokens) {
        int[] table = IntStream.range(0, Math.ceilDiv(tokens, KvCache.BLOCK_TOKENS)).toArray();
        int rows = Math.min(tokens, maxSequences);
        int[] logitRows = IntStream.rangeClosed(1, rows).map(i -> (int) ((long) i * tokens / rows) - 1).toArray();
        return new Batch(
                randomTokens(tokens), IntStream.range(0, tokens).toArray(), new int[] {0, tokens}, new int[][] {table}, logitRows);
    }

    /** The prompt is as long as a step may be, and this the middle of it: as much context as the average piece has. */
    private Batch mixed(int promptTokens) {
        int first = (decoder.maxBatchTokens() - promptTokens) / 2;
        int firstBlock = contextBlocks + DECODES_BESIDE;
        int[][] tables = Stream.concat(
                        Arrays.stream(decode(DECODES_BESIDE).blockTables()),
                        Stream.of(IntStream.range(firstBlock, firstBlock + longestPromptBlocks()).toArray()))
                .toArray(int[][]::new);
        int tokens = DECODES_BESIDE + promptTokens;
        return new Batch(
                randomTokens(tokens),
                IntStream.concat(IntStream.generate(this::context).limit(DECODES_BESIDE), IntStream.range(first, first + promptTokens)).toArray(),
                IntStream.concat(IntStream.rangeClosed(0, DECODES_BESIDE), IntStream.of(tokens)).toArray(),
                tables,
                IntStream.range(0, DECODES_BESIDE).toArray(),
                IntStream.concat(IntStream.generate(this::context).limit(DECODES_BESIDE), IntStream.of(decoder.maxBatchTokens())).toArray());
    }

    private int longestPromptBlocks() {
        return Math.ceilDiv(decoder.maxBatchTokens(), KvCache.BLOCK_TOKENS);
    }

    private int[] randomTokens(int count) {
        return new SplittableRandom(SEED).ints(count, 0, decoder.vocabulary()).toArray();
    }
}
