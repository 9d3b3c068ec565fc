package io.moebius.hub;

/** A model that cannot be found or fetched; the message is one line that says where was looked and what to do. */
public final class HubException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** What kind of failure it is. */
    public enum Kind {
        /** No such model, revision or usable files. */
        NOT_FOUND,
        /** The Hub wants a token, another one, or its terms accepted. */
        REFUSED,
        /** The Hub, which alone has what is missing, cannot be reached, may not be asked, or does not answer as it should. */
        UNREACHABLE,
        /** The cache cannot take the files. */
        NO_ROOM,
        /** What came is not what the Hub says it is. */
        DAMAGED
    }

    private final Kind kind;

    public HubException(String message) {
        this(Kind.NOT_FOUND, message);
    }

    public HubException(String message, Throwable cause) {
        super(message, cause);
        this.kind = Kind.NOT_FOUND;
    }

    public HubException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
