package io.moebius.hub;

import java.time.Duration;

/** The pauses between attempts: as long as the Hub asks, but a minute at most, else twice as long with every failure. */
final class Backoff {

    private static final Duration FIRST = Duration.ofMillis(500);
    private static final Duration LONGEST = Duration.ofMinutes(1);

    private Duration pause = FIRST;

    /** An attempt has got on. */
    void reset() {
        pause = FIRST;
    }

    /** @param asked by the Hub; zero for nothing */
    Duration next(Duration asked) {
        Duration now = least(longer(asked, pause));
        pause = least(pause.multipliedBy(2));
        return now;
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    private static Duration least(Duration pause) {
        return pause.compareTo(LONGEST) < 0 ? pause : LONGEST;
    }
}
