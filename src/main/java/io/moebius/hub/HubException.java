package io.moebius.hub;

/** A model that cannot be found; the message is one line that says where was looked and what to do. */
public final class HubException extends RuntimeException {

    public HubException(String message) {
        super(message);
    }

    public HubException(String message, Throwable cause) {
        super(message, cause);
    }
}
