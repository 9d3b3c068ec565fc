package io.moebius.checkpoint;

/** A checkpoint that cannot be served; the message is one line that says what is wrong, where, and what is allowed. */
public final class CheckpointException extends RuntimeException {

    public CheckpointException(String message) {
        super(oneLine(message));
    }

    public CheckpointException(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    /** Names in it may be a stranger's. */
    private static String oneLine(String message) {
        return message.replaceAll("[\\p{Cntrl}\u2028\u2029]", "?");
    }
}
