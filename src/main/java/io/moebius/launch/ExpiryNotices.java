package io.moebius.launch;

import java.time.Duration;
import java.time.Instant;

/**
 * What a running server says about the end of its container secret: daily from a week before, and at the ends of the secret and of the
 * grace themselves.
 *
 * @param expires end of the secret
 * @param closes  from then on new requests are refused
 */
record ExpiryNotices(Instant expires, Instant closes) {

    private static final Duration WARNING = Duration.ofDays(7);
    private static final Duration DAY = Duration.ofDays(1);

    boolean due(Instant now) {
        return !now.isBefore(expires.minus(WARNING));
    }

    /** When the next notice after {@code now} is due. */
    Instant after(Instant now) {
        Instant tomorrow = now.plus(DAY);
        if (!due(now)) {
            return expires.minus(WARNING);
        }
        for (Instant end : new Instant[] {expires, closes}) {
            if (now.isBefore(end) && tomorrow.isAfter(end)) {
                return end;
            }
        }
        return tomorrow;
    }

    String at(Instant now) {
        if (now.isBefore(expires)) {
            return "the container secret expires on %s; renew it and start the program with the new one".formatted(expires);
        }
        return now.isBefore(closes)
                ? "the container secret expired on %s; new requests are answered until %s".formatted(expires, closes)
                : "the container secret expired on %s; new requests are refused since %s".formatted(expires, closes);
    }
}
