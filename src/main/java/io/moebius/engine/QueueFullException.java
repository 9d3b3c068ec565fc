package io.moebius.engine;

/** The engine has as many sequences as it takes; one may fit later. */
public final class QueueFullException extends IllegalStateException {

    public QueueFullException(int sequences) {
        super("the engine already holds " + sequences + " sequences, which is its limit; try again later");
    }
}
