package io.moebius.policy;

/** A policy cannot be used, searched or saved; the message is one line that says what to do. */
public final class PolicyException extends RuntimeException {

    private static final long serialVersionUID = 1;

    public PolicyException(String message) {
        super(message);
    }
}
