package io.moebius.checkpoint;

/** A checkpoint that cannot be served; the message is one line that says what is wrong, where, and what is allowed. */
public final class CheckpointException extends RuntimeException {

    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
