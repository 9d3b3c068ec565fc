package io.moebius.engine;

import java.time.Duration;
import java.util.concurrent.CompletionStage;

/** Generates tokens for many sequences at once; every method may be called from any thread. */
public interface Engine extends AutoCloseable {

    /**
     * Queues a sequence. Its listener may be called before this returns.
     *
     * @throws QueueFullException       while as many sequences wait as may
     * @throws IllegalStateException    while draining, closed or dead
     * @throws IllegalArgumentException if a token id or length is out of range
     */
    Ticket submit(Prompt prompt, SequenceListener listener);

    Load load();

    /** False once closed, or once the model failed so often in a row that the engine gave up: it serves nothing any more. */
    boolean alive();

    /** Completes with the cause once the engine gives up; never when it is closed. */
    CompletionStage<Throwable> death();

    /** Accepts nothing more and waits until all sequences have left, at most {@code timeout}; true if all have. */
    boolean drain(Duration timeout) throws InterruptedException;

    /** Fails what is running and ends the step loop. */
    @Override
    void close();

    /** A snapshot as of the last step: sequences in the running batch and waiting, cache blocks in use and in all. */
    record Load(int running, int waiting, int usedBlocks, int totalBlocks) {}
}
