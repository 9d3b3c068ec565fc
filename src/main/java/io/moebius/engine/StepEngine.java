package io.moebius.engine;

import io.moebius.backend.KvCache;
import io.moebius.backend.Tensor;
import io.moebius.engine.EngineObserver.Outcome;
import io.moebius.model.Decoder;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;

/** One thread that plans a step, runs the model and samples, until closed; other threads meet it at the entrance. */
public final class StepEngine implements Engine {

    private static final System.Logger LOG = System.getLogger(StepEngine.class.getName());
    private static final int FAILED_STEPS_TO_DIE = 3;

    private final Decoder decoder;
    private final KvCache cache;
    private final EngineObserver observer;
    private final PromptValidator validator;
    private final Scheduler scheduler;
    private final Sampler sampler;
    private final Entrance entrance;
    private final float[] logits;
    private final Thread thread;
    private int failedSteps;

    /**
     * Starts the engine's thread.
     *
     * @param cache     made by the decoder's backend with its kvShape; must stay open until {@link #close} has returned
     * @param ignoreNan whether logits that are not finite count as -infinity instead of failing their sequence
     * @throws IllegalArgumentException if a step may have more tokens than the decoder takes
     */
    public StepEngine(Decoder decoder, KvCache cache, Limits limits, EngineObserver observer, boolean ignoreNan) {
        if (limits.maxBatchTokens() > decoder.maxBatchTokens()) {
            throw new IllegalArgumentException("the limit for tokens in a step is " + limits.maxBatchTokens()
                    + "; the model takes at most " + decoder.maxBatchTokens());
        }
        this.decoder = decoder;
        this.cache = cache;
        this.observer = observer;
        validator = new PromptValidator(decoder.vocabulary(), limits.maxSequenceLength(), cache.blocks());
        scheduler = new Scheduler(limits, new BlockPool(cache.blocks()));
        sampler = new Sampler(decoder.vocabulary(), ignoreNan);
        logits = new float[decoder.vocabulary()];
        long capacity = (long) limits.maxBatchSequences() + limits.maxQueue();
        entrance = new Entrance((int) Math.min(capacity, Integer.MAX_VALUE), scheduler.load());
        thread = Thread.ofPlatform().name("engine").start(this::run);
    }

    @Override
    public Ticket submit(Prompt prompt, SequenceListener listener) {
        RunningSequence sequence = new RunningSequence(prompt, listener);
        validator.check(prompt, sequence.history());
        entrance.arrive(sequence);
        return sequence;
    }

    @Override
    public Load load() {
        return entrance.load();
    }

    @Override
    public boolean alive() {
        return thread.isAlive();
    }

    @Override
    public boolean drain(Duration timeout) throws InterruptedException {
        return entrance.drain(timeout);
    }

    /** Waits for the step in progress, even when interrupted: the model's memory is in use until then. */
    @Override
    public void close() {
        entrance.close();
        if (Thread.currentThread() == thread) {
            return;
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        RuntimeException cause = new IllegalStateException("the engine was closed");
        try {
            while (entrance.meet(scheduler, this::welcome)) {
                scheduler.cancelled().forEach(sequence -> leave(sequence, Outcome.CANCELLED));
                step();
            }
        } catch (RuntimeException | Error e) {
            LOG.log(Level.ERROR, "the engine has stopped", e);
            cause = asRuntime(e);
        }
        end(cause);
    }

    private void welcome(RunningSequence sequence) {
        hear(() -> observer.queued(sequence.history().prompt()));
    }

    private void step() {
        Step step = scheduler.plan();
        if (step.slices().isEmpty()) {
            return;
        }
        try {
            Tensor rows = decoder.forward(step.batch(), cache);
            int row = 0;
            for (Step.Slice slice : step.slices()) {
                boolean completes = slice.completes();
                slice.sequence().cached(slice.count());
                if (completes) {
                    decoder.backend().read(rows, row++, logits);
                    next(slice.sequence());
                }
            }
            failedSteps = 0;
        } catch (RuntimeException | Error e) {
            LOG.log(Level.ERROR, "a step of " + step.slices().size() + " sequences failed", e);
            List<RunningSequence> present = scheduler.all();
            step.slices().stream()
                    .map(Step.Slice::sequence)
                    .filter(present::contains)
                    .forEach(sequence -> fail(sequence, asRuntime(e)));
            if (++failedSteps == FAILED_STEPS_TO_DIE) {
                throw new IllegalStateException(failedSteps + " steps in a row failed", e);
            }
        }
    }

    private void next(RunningSequence sequence) {
        if (sequence.cancelled()) {
            return;
        }
        GeneratedToken token;
        try {
            token = sampler.sample(logits, sequence.prompt(), sequence.history());
        } catch (RuntimeException e) {
            fail(sequence, e);
            return;
        }
        sequence.append(token.id());
        if (sequence.outputTokens() == 1) {
            hear(() -> observer.firstToken(sequence.queueing(), sequence.sinceQueued()));
        }
        tell(sequence, () -> sequence.listener().token(token));
        FinishReason reason = sequence.finishReason();
        if (reason != null && !sequence.cancelled()) {
            leave(sequence, Outcome.FINISHED);
            tell(sequence, () -> sequence.listener().finished(reason));
        }
    }

    private void fail(RunningSequence sequence, RuntimeException cause) {
        boolean cancelled = sequence.cancelled();
        leave(sequence, cancelled ? Outcome.CANCELLED : Outcome.FAILED);
        if (!cancelled) {
            tell(sequence, () -> sequence.listener().failed(cause));
        }
    }

    private void leave(RunningSequence sequence, Outcome outcome) {
        scheduler.remove(sequence);
        hear(() -> observer.left(outcome, sequence.outputTokens(), sequence.sinceQueued()));
    }

    /** A listener that throws has its sequence cancelled; the others must not notice. */
    private void tell(RunningSequence sequence, Runnable call) {
        try {
            call.run();
        } catch (RuntimeException | Error e) {
            LOG.log(Level.WARNING, "a sequence's listener failed; the sequence is cancelled", e);
            sequence.cancel();
        }
    }

    private void hear(Runnable call) {
        try {
            call.run();
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "the engine's observer failed", e);
        }
    }

    private void end(RuntimeException cause) {
        entrance.close();
        entrance.meet(scheduler, this::welcome);
        scheduler.all().forEach(sequence -> fail(sequence, cause));
        entrance.leave(scheduler.load());
    }

    private static RuntimeException asRuntime(Throwable cause) {
        return cause instanceof RuntimeException runtime ? runtime : new IllegalStateException(cause.toString(), cause);
    }
}
