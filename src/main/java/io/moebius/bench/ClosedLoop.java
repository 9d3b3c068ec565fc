package io.moebius.bench;

import io.moebius.engine.Engine;
import io.moebius.engine.FinishReason;
import io.moebius.engine.GeneratedToken;
import io.moebius.engine.Prompt;
import io.moebius.engine.Sampling;
import io.moebius.engine.SequenceListener;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * As many requests as asked for are always under way: whoever has finished asks again at once. The first ones want outputs of every length up
 * to the full one, so that the load is even from then on; measuring begins when all of them have finished.
 */
final class ClosedLoop {

    private final Engine engine;
    private final int inputTokens;
    private final int outputTokens;
    private final int requests;
    private final int vocabulary;
    private final Random random = new Random(1);
    private final CountDownLatch warm;
    private final CountDownLatch broken = new CountDownLatch(1);
    private final Durations firstTokens = new Durations();
    private final Durations gaps = new Durations();
    private volatile RuntimeException failure;
    private volatile boolean measuring;
    private volatile boolean over;
    private long tokens;
    private int finished;

    /** @param requests under way at once */
    ClosedLoop(Engine engine, int vocabulary, int inputTokens, int outputTokens, int requests) {
        this.engine = engine;
        this.vocabulary = vocabulary;
        this.inputTokens = inputTokens;
        this.outputTokens = outputTokens;
        this.requests = requests;
        this.warm = new CountDownLatch(requests);
    }

    /**
     * Runs until {@code measured} has passed in the steady state, and closes the engine.
     *
     * @throws IllegalStateException if a request fails
     */
    ServingReport.Result run(Duration measured) throws InterruptedException {
        try (engine) {
            for (int i = 0; i < requests; i++) {
                ask(1 + (int) ((long) i * outputTokens / requests), true);
            }
            await(warm, Duration.ofDays(1));
            long begin = System.nanoTime();
            measuring = true;
            await(broken, measured);
            measuring = false;
            double seconds = (System.nanoTime() - begin) / 1e9;
            over = true;
            engine.close();
            return new ServingReport.Result(
                    inputTokens, outputTokens, requests, seconds, finished, tokens / seconds, finished / seconds, firstTokens.percentiles(),
                    gaps.percentiles());
        }
    }

    private void await(CountDownLatch latch, Duration most) throws InterruptedException {
        latch.await(most.toNanos(), TimeUnit.NANOSECONDS);
        if (failure != null) {
            throw new IllegalStateException("a request failed: " + failure.getMessage(), failure);
        }
    }

    private void ask(int output, boolean first) {
        int[] prompt = random.ints(inputTokens, 0, vocabulary).toArray();
        engine.submit(new Prompt(prompt, output, 0, Set.of(), Sampling.greedy(), -1), new Request(first));
    }

    /** Called on the engine's thread. */
    private final class Request implements SequenceListener {

        private final boolean first;
        private final long asked = System.nanoTime();
        private long latest;

        Request(boolean first) {
            this.first = first;
        }

        @Override
        public void token(GeneratedToken token) {
            long now = System.nanoTime();
            if (measuring) {
                tokens++;
                if (latest == 0) {
                    firstTokens.add(now - asked);
                } else {
                    gaps.add(now - latest);
                }
            }
            latest = now;
        }

        @Override
        public void finished(FinishReason reason) {
            if (over) {
                return;
            }
            if (measuring) {
                finished++;
            }
            try {
                ask(outputTokens, false);
            } catch (RuntimeException e) {
                failed(e);
            }
            if (first) {
                warm.countDown();
            }
        }

        @Override
        public void failed(RuntimeException cause) {
            if (over) {
                return;
            }
            failure = cause;
            broken.countDown();
            while (warm.getCount() > 0) {
                warm.countDown();
            }
        }
    }
}
