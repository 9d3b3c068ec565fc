package io.moebius.api;

import java.util.concurrent.atomic.AtomicBoolean;

/** What one API key is doing now: a bucket that fills by its rate per minute, and the requests at work. */
final class ApiKeyUse {

    private static final double NANOS_PER_MINUTE = 60e9;

    private double tokens = -1;
    private long filled;
    private int running;

    /** A request at work. */
    interface Permit extends AutoCloseable {
        @Override
        void close();
    }

    /** @throws ApiException 429 beyond a limit of {@code key} */
    synchronized Permit enter(ApiKeys.Key key, long now) {
        if (key.concurrent() > 0 && running >= key.concurrent()) {
            throw ApiException.busy("the API key has %d requests at work, which is its limit; try again later".formatted(running));
        }
        if (key.requestsPerMinute() > 0) {
            double earned = tokens < 0 ? key.requestsPerMinute() : (now - filled) / NANOS_PER_MINUTE * key.requestsPerMinute();
            tokens = Math.min(key.requestsPerMinute(), Math.max(tokens, 0) + earned);
            filled = now;
            if (tokens < 1) {
                throw ApiException.busy("the API key has used its %d requests a minute; try again later".formatted(key.requestsPerMinute()));
            }
            tokens--;
        }
        running++;
        AtomicBoolean open = new AtomicBoolean(true);
        return () -> {
            if (open.getAndSet(false)) {
                leave();
            }
        };
    }

    private synchronized void leave() {
        running--;
    }
}
