package io.moebius.hub;

import java.io.IOException;
import java.time.Duration;

/** An answer that another try may mend. */
final class BusyException extends IOException {

    private static final long serialVersionUID = 1;

    private final Duration asked;

    /** @param asked how long the Hub asks to wait; zero for nothing */
    BusyException(int status, Duration asked) {
        super("HTTP status " + status);
        this.asked = asked;
    }

    Duration asked() {
        return asked;
    }
}
