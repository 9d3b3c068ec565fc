package io.moebius.license;

/** A secret, or a file of keys, that is refused. Its message is one line and holds no part of the secret. */
public final class LicenseException extends Exception {

    /** Why; every kind has a line of its own. */
    public enum Kind {
        MISSING,
        PLACEHOLDER,
        FOREIGN,
        MALFORMED,
        UNKNOWN_KEY,
        BAD_SIGNATURE,
        EXPIRED,
        NOT_YET_VALID,
        TOO_FEW_DEVICES,
        REVOKED,
        CLOCK_SET_BACK,
        UNREADABLE
    }

    private final Kind kind;

    public LicenseException(Kind kind, String message) {
        super(message, null, false, false);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
