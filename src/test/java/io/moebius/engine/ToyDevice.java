package io.moebius.engine;

import io.moebius.backend.DeviceSampler;
import io.moebius.backend.DrawnTokens;
import io.moebius.backend.Draws;
import io.moebius.backend.Tensor;
import io.moebius.engine.GeneratedToken.TokenLogprob;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Does the toy model's work on a thread of its own, in the order in which it comes, and draws by the host's sampler. */
final class ToyDevice implements DeviceSampler {

    private static final int VOCABULARY = ToyDecoder.VOCABULARY;

    private final ExecutorService stream = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
    private final AtomicInteger unawaited = new AtomicInteger();
    private final Sampler sampler = new Sampler(VOCABULARY, true);
    private final Map<Integer, History> slots = new HashMap<>();
    private final int[] drawn = new int[1024];

    <T> CompletableFuture<T> enqueue(Supplier<T> work) {
        return CompletableFuture.supplyAsync(work, stream);
    }

    /** For work on the stream: the token that a batch names. */
    int token(int token) {
        return token < 0 ? drawn[~token] : token;
    }

    @Override
    public void remember(int slot, int[] tokens, int prompt, int length) {
        History history = new History(Arrays.copyOf(tokens, length), prompt, length);
        enqueue(() -> slots.put(slot, history));
    }

    @Override
    public Pending draw(Tensor logits, Draws draws) {
        if (unawaited.incrementAndGet() > 2) {
            throw new IllegalStateException("a third step is enqueued before the first one's tokens have been awaited");
        }
        CompletableFuture<DrawnTokens> tokens = enqueue(() -> draw(((ToyDecoder.Rows) logits).values().join(), draws));
        return () -> {
            unawaited.decrementAndGet();
            try {
                return tokens.join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            }
        };
    }

    private DrawnTokens draw(float[][] logits, Draws draws) {
        int rows = draws.rows();
        int top = draws.topLogprobs();
        DrawnTokens tokens = new DrawnTokens(
                new int[rows], new int[rows], new float[rows], top, new int[rows * top], new float[rows * top]);
        for (int row = 0; row < rows; row++) {
            draw(logits[row], draws, row, tokens);
        }
        System.arraycopy(tokens.ids(), 0, drawn, 0, rows);
        return tokens;
    }

    private void draw(float[] logits, Draws draws, int row, DrawnTokens tokens) {
        for (float logit : logits) {
            if (!Float.isFinite(logit)) {
                tokens.status()[row] = DrawnTokens.NOT_FINITE;
            }
        }
        int index = draws.indices()[row];
        History history = draws.slots()[row] < 0 ? new History(new int[index], 0, index) : slots.get(draws.slots()[row]);
        if (history.output() != index) {
            // A step on the way failed, or the slot is another sequence's.
            tokens.status()[row] = DrawnTokens.NONE_LEFT;
            return;
        }
        Set<Integer> forbidden = forbidden(draws, row);
        Prompt prompt = new Prompt(
                new int[0], index + 1, forbidden.isEmpty() ? 0 : index + 1, forbidden, sampling(draws, row), draws.topLogprobs());
        GeneratedToken token;
        try {
            token = sampler.sample(logits, prompt, history);
        } catch (NotANumberException e) {
            tokens.status()[row] = DrawnTokens.NONE_LEFT;
            return;
        }
        tokens.ids()[row] = token.id();
        tokens.logprobs()[row] = token.logprob();
        for (int i = 0; i < draws.topLogprobs(); i++) {
            TokenLogprob best = token.top().get(i);
            tokens.topIds()[row * draws.topLogprobs() + i] = best.id();
            tokens.topValues()[row * draws.topLogprobs() + i] = best.logprob();
        }
        if (draws.slots()[row] >= 0) {
            int[] longer = Arrays.copyOf(history.tokens(), history.length() + 1);
            longer[history.length()] = token.id();
            slots.put(draws.slots()[row], new History(longer, history.prompt(), longer.length));
        }
    }

    private static Set<Integer> forbidden(Draws draws, int row) {
        Set<Integer> forbidden = new HashSet<>();
        for (int id = 0; draws.allowed() != null && id < VOCABULARY; id++) {
            if ((draws.allowed()[row * (VOCABULARY / 32) + id / 32] >> id & 1) == 0) {
                forbidden.add(id);
            }
        }
        return forbidden;
    }

    private static Sampling sampling(Draws draws, int row) {
        Map<Integer, Float> bias = new HashMap<>();
        if (draws.biasOffsets() != null) {
            IntStream.range(draws.biasOffsets()[row], draws.biasOffsets()[row + 1])
                    .forEach(i -> bias.put(draws.biasIds()[i], draws.biasValues()[i]));
        }
        return new Sampling(
                draws.temperature()[row], draws.topK()[row], draws.topP()[row], draws.minP()[row], draws.repetition()[row],
                draws.presence()[row], draws.frequency()[row], bias, draws.seeds()[row]);
    }
}
