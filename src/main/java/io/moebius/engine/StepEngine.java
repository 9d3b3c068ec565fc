package io.moebius.engine;

import io.moebius.backend.DeviceLostException;
import io.moebius.backend.DeviceSampler;
import io.moebius.backend.KvCache;
import io.moebius.engine.EngineObserver.Outcome;
import io.moebius.engine.StepRunner.StartedStep;
import io.moebius.model.Decoder;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * One thread that plans steps, has them run and hands out their tokens, until closed; other threads meet it at the entrance. On a
 * backend that draws tokens itself, a step is planned and started while the one before runs.
 */
public final class StepEngine implements Engine {

    private static final System.Logger LOG = System.getLogger(StepEngine.class.getName());
    private static final int FAILED_STEPS_TO_DIE = 3;
    private static final Flight NOTHING = new Flight(new Step(), null);

    private final EngineObserver observer;
    private final PromptValidator validator;
    private final Scheduler scheduler;
    private final StepRunner runner;
    private final Entrance entrance;
    private final Runnable loop;
    private final Thread thread;
    private final CompletableFuture<Throwable> death = new CompletableFuture<>();
    private int failedSteps;

    /** A started step whose tokens have not been seen. */
    private record Flight(Step step, StartedStep started) {}

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
        this.observer = observer;
        validator = new PromptValidator(decoder.vocabulary(), limits.maxSequenceLength(), cache.blocks());
        scheduler = new Scheduler(limits, new FreeList(cache.blocks()));
        Optional<DeviceSampler> sampler = decoder.sampler();
        runner = sampler.isPresent()
                ? new DeviceSampling(decoder, cache, sampler.get(), ignoreNan)
                : new HostSampling(decoder, cache, ignoreNan);
        loop = sampler.isPresent() ? this::runOverlapped : this::runPlain;
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
    public CompletionStage<Throwable> death() {
        return death;
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
            loop.run();
        } catch (RuntimeException | Error e) {
            LOG.log(Level.ERROR, "the engine has stopped", e);
            cause = asRuntime(e);
            end(cause);
            death.complete(e);
            return;
        }
        end(cause);
    }

    /** Plans a step when all tokens of the one before are known. */
    private void runPlain() {
        while (entrance.meet(scheduler, this::welcome)) {
            leaveCancelled();
            land(start(scheduler.plan()));
        }
    }

    /** Plans and starts a step while the one before runs, as though none of its sequences ended there; what did is left out on landing. */
    private void runOverlapped() {
        Flight flying = NOTHING;
        while (entrance.meet(scheduler, this::welcome)) {
            leaveCancelled();
            Flight next = start(scheduler.plan());
            land(flying);
            flying = next;
        }
        land(flying);
    }

    private void welcome(RunningSequence sequence) {
        hear(() -> observer.queued(sequence.history().prompt()));
    }

    private void leaveCancelled() {
        scheduler.cancelled().forEach(sequence -> leave(sequence, Outcome.CANCELLED));
    }

    private Flight start(Step step) {
        if (step.slices().isEmpty()) {
            return NOTHING;
        }
        try {
            StartedStep started = runner.start(step);
            step.started();
            return new Flight(step, started);
        } catch (RuntimeException | Error e) {
            failed(step, e);
            return NOTHING;
        }
    }

    private void land(Flight flight) {
        if (flight == NOTHING) {
            return;
        }
        try {
            flight.started.await();
        } catch (RuntimeException | Error e) {
            failed(flight.step, e);
            return;
        }
        failedSteps = 0;
        for (Step.Slice slice : flight.step.slices()) {
            if (slice.completes() && !slice.sequence().hasLeft()) {
                next(slice, flight.started);
            }
        }
    }

    private void failed(Step step, Throwable cause) {
        if (cause instanceof DeviceLostException lost) {
            throw lost;
        }
        List<RunningSequence> present = step.slices().stream()
                .map(Step.Slice::sequence)
                .filter(sequence -> !sequence.hasLeft())
                .toList();
        if (present.isEmpty()) {
            return;
        }
        LOG.log(Level.ERROR, "a step of " + present.size() + " sequences failed", cause);
        present.forEach(sequence -> fail(sequence, asRuntime(cause)));
        if (++failedSteps == FAILED_STEPS_TO_DIE) {
            throw new IllegalStateException(failedSteps + " steps in a row failed", cause);
        }
    }

    private void next(Step.Slice slice, StartedStep started) {
        RunningSequence sequence = slice.sequence();
        if (sequence.cancelled()) {
            return;
        }
        GeneratedToken token;
        try {
            token = started.token(slice);
        } catch (DeviceLostException e) {
            throw e;
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
        sequence.leave();
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
