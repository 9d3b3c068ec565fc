package io.moebius.engine;

import java.time.Duration;

/** Generates tokens for many sequences at once; every method may be called from any thread. */
public interface Engine extends AutoCloseable {

    /**
     * Queues a sequence.
     *
     * @throws IllegalStateException while draining, closed or over the queue's limit
     * @throws IllegalArgumentException if a token id or length is out of range
     */
    Ticket submit(Prompt prompt, SequenceListener listener);

    Load load();

    /** Accepts nothing more and waits until all sequences have left, at most {@code timeout}; true if all have. */
    boolean drain(Duration timeout) throws InterruptedException;

    /** Fails what is running and ends the step loop. */
    @Override
    void close();

    /** A snapshot: sequences in the running batch and waiting, cache blocks in use and in all. */
    record Load(int running, int waiting, int usedBlocks, int totalBlocks) {}
}
