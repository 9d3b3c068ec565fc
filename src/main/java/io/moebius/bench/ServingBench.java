package io.moebius.bench;

import io.moebius.backend.KvCache;
import io.moebius.engine.EngineObserver;
import io.moebius.engine.Limits;
import io.moebius.engine.StepEngine;
import io.moebius.model.Decoder;
import java.time.Duration;

/** The engine under load: requests of given lengths, as many at once as the KV cache holds. */
public final class ServingBench {

    private final Decoder decoder;
    private final KvCache cache;
    private final int maxSequences;

    /** @param maxSequences most requests at once, however many the cache holds */
    public ServingBench(Decoder decoder, KvCache cache, int maxSequences) {
        this.decoder = decoder;
        this.cache = cache;
        this.maxSequences = maxSequences;
    }

    /** Tokens of prompt and output of each request. */
    public record Lengths(int input, int output) {

        int blocks() {
            return Math.ceilDiv(input + output, KvCache.BLOCK_TOKENS);
        }
    }

    /**
     * @param seconds of steady state
     * @throws IllegalArgumentException if the cache does not hold one such request
     * @throws IllegalStateException    if a request fails
     */
    public ServingReport.Result run(Lengths lengths, int seconds) throws InterruptedException {
        int requests = Math.min(maxSequences, cache.blocks() / lengths.blocks());
        if (requests == 0) {
            throw new IllegalArgumentException("the KV cache holds %d tokens; one request of %d/%d needs more"
                    .formatted(cache.blocks() * KvCache.BLOCK_TOKENS, lengths.input(), lengths.output()));
        }
        int stepTokens = decoder.maxBatchTokens();
        Limits limits = new Limits(requests, stepTokens, stepTokens, Math.max(2, lengths.input() + lengths.output()), requests);
        StepEngine engine = new StepEngine(decoder, cache, limits, new Unheard(), false);
        return new ClosedLoop(engine, decoder.vocabulary(), lengths.input(), lengths.output(), requests).run(Duration.ofSeconds(seconds));
    }

    private static final class Unheard implements EngineObserver {
        @Override
        public void queued(int promptTokens) {}

        @Override
        public void firstToken(Duration queueing, Duration sinceQueued) {}

        @Override
        public void left(Outcome outcome, int outputTokens, Duration sinceQueued) {}
    }
}
