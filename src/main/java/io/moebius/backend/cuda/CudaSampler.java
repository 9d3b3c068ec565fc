package io.moebius.backend.cuda;

import io.moebius.backend.DeviceSampler;
import io.moebius.backend.DrawnTokens;
import io.moebius.backend.Draws;
import io.moebius.backend.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Draws by the kernel of sampling.cu. What a draw needs goes to the device in one copy, and what it gives comes back in one. The host
 * has two places for each: a draw's tokens have been awaited before the one after the next.
 */
final class CudaSampler implements DeviceSampler {

    private static final int IN_FLIGHT = 2;

    private final Driver driver;
    private final Launcher launcher;
    private final KernelTable.Entry kernel;
    private final Evaluation evaluation;
    private final long stream;
    private final int rows;
    private final int vocabulary;
    private final long adjusted;
    private final TokenCounts counts;
    private final DrawInputs[] inputs = new DrawInputs[IN_FLIGHT];
    /** Tokens, status and logprobs [rows] each, then ids and logprobs of the likeliest, [rows of the draw, topLogprobs] each. */
    private final long results;
    private final Driver.Pinned[] received = new Driver.Pinned[IN_FLIGHT];
    private final long[] done = new long[IN_FLIGHT];
    private int turn;
    private int drawn;

    /** @param rows most of a draw */
    CudaSampler(
            Driver driver, DeviceMemory memory, Launcher launcher, KernelTable table, Evaluation evaluation, long stream, int rows,
            int vocabulary) {
        this.driver = driver;
        this.launcher = launcher;
        this.kernel = table.only(KernelTable.Family.SAMPLE);
        this.evaluation = evaluation;
        this.stream = stream;
        this.rows = rows;
        this.vocabulary = vocabulary;
        adjusted = memory.allocate((long) Float.BYTES * rows * vocabulary);
        counts = new TokenCounts(memory, rows, vocabulary);
        results = memory.zeroed(resultBytes(rows, MOST_TOP_LOGPROBS));
        for (int i = 0; i < IN_FLIGHT; i++) {
            inputs[i] = new DrawInputs(driver, memory, stream, rows, vocabulary);
            received[i] = driver.pin(resultBytes(rows, MOST_TOP_LOGPROBS));
            done[i] = driver.event();
        }
    }

    /** Where the tokens of the last draw lie, the same place for all draws. */
    long drawnTokens() {
        return results;
    }

    /** Rows of the last draw. */
    int drawnRows() {
        return drawn;
    }

    @Override
    public void remember(int slot, int[] tokens, int prompt, int length) {
        counts.remember(slot, tokens, prompt, length);
    }

    @Override
    public Pending draw(Tensor logits, Draws draws) {
        check(logits, draws);
        turn = (turn + 1) % IN_FLIGHT;
        drawn = draws.rows();
        Driver.Pinned to = received[turn];
        if (drawn > 0) {
            launch((CudaTensor) logits, draws);
            driver.download(to, results, resultBytes(drawn, draws.topLogprobs()), stream);
        }
        long event = done[turn];
        driver.record(event, stream);
        return () -> {
            driver.await(event);
            return read(to.bytes(), draws.rows(), draws.topLogprobs());
        };
    }

    private void check(Tensor logits, Draws draws) {
        boolean fits = draws.rows() <= rows && draws.rows() == logits.rows() && logits.columns() == vocabulary;
        if (!fits || draws.topLogprobs() > MOST_TOP_LOGPROBS) {
            throw new IllegalArgumentException("%d draws and %d likeliest from logits [%d, %d]; at most %d draws and %d likeliest of %d tokens".formatted(
                    draws.rows(), draws.topLogprobs(), logits.rows(), logits.columns(), rows, MOST_TOP_LOGPROBS, vocabulary));
        }
    }

    private void launch(CudaTensor logits, Draws draws) {
        try (CudaKernels.Sample parameters = new CudaKernels.Sample()) {
            inputs[turn].upload(draws, counts, parameters);
            parameters.logits(evaluation.floats(logits));
            parameters.adjusted(adjusted);
            parameters.tokens(results);
            parameters.status(results + 4L * rows);
            parameters.logprobs(results + 8L * rows);
            parameters.top_ids(results + 12L * rows);
            parameters.top_values(results + 12L * rows + 4L * draws.rows() * draws.topLogprobs());
            parameters.pitch(vocabulary);
            parameters.rows(draws.rows());
            parameters.vocabulary(vocabulary);
            parameters.top_logprobs(draws.topLogprobs());
            launcher.launch(kernel, parameters, "drawing tokens");
        }
    }

    private int resultBytes(int drawn, int topLogprobs) {
        return Math.toIntExact(12L * rows + 8L * drawn * topLogprobs);
    }

    private DrawnTokens read(ByteBuffer from, int drawn, int top) {
        IntBuffer ints = from.clear().asIntBuffer();
        FloatBuffer floats = from.asFloatBuffer();
        DrawnTokens tokens = new DrawnTokens(
                new int[drawn], new int[drawn], new float[drawn], top, new int[drawn * top], new float[drawn * top]);
        ints.get(0, tokens.ids()).get(rows, tokens.status()).get(3 * rows, tokens.topIds());
        floats.get(2 * rows, tokens.logprobs()).get(3 * rows + drawn * top, tokens.topValues());
        return tokens;
    }
}
