package io.moebius.api;

import io.quarkus.runtime.configuration.MemorySize;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * The bytes of bodies that are on their way and not yet requests, of all clients together: an eighth of the heap, for while a body
 * is parsed it takes several times its bytes, but never less than one of the largest and some small ones. Large bodies leave an eighth
 * of that to small ones, so that short prompts are served while others fill the rest.
 */
@Singleton
final class BodyRoom {

    private static final long SMALL = 1 << 20;
    private static final long FIRST_PIECE = 1 << 14;

    private final long bytes;
    private final long maxBodyBytes;
    private long taken;

    /** @param limit at which the server cuts a body off with an empty answer; four fifths of it are refused in good time */
    @Inject
    BodyRoom(@ConfigProperty(name = "quarkus.http.limits.max-body-size", defaultValue = "10240K") MemorySize limit) {
        this(Runtime.getRuntime().maxMemory(), limit.asLongValue() / 5 * 4);
    }

    /** @param maxBodyBytes one body of so many fits, whatever the heap */
    BodyRoom(long heapBytes, long maxBodyBytes) {
        this.bytes = Math.max(heapBytes / 8, maxBodyBytes + maxBodyBytes / 4);
        this.maxBodyBytes = maxBodyBytes;
    }

    long maxBodyBytes() {
        return maxBodyBytes;
    }

    /** What bodies take now. */
    synchronized long taken() {
        return taken;
    }

    /** Of nothing yet. */
    Share share() {
        return new Share();
    }

    private synchronized boolean take(long more, long most) {
        boolean fits = taken + more <= most;
        taken += fits ? more : 0;
        return fits;
    }

    private synchronized void give(long back) {
        taken -= back;
    }

    /** What one body takes. */
    final class Share implements AutoCloseable {

        private long held;
        private boolean closed;

        private Share() {}

        /** @throws ApiException 413 if no body may have so many bytes, 429 if they do not fit beside the other bodies */
        synchronized void reach(long wanted) {
            if (wanted > maxBodyBytes) {
                throw new ApiException(
                        413,
                        "invalid_request_error",
                        "the body has %d bytes or more; at most %d are allowed".formatted(wanted, maxBodyBytes),
                        null,
                        "request_too_large");
            }
            if (closed || !take(wanted - held, wanted > SMALL ? bytes - bytes / 8 : bytes)) {
                throw ApiException.busy("the bodies of other requests take the %d MiB that the server has for them; try again, or send a shorter one"
                        .formatted(bytes >> 20));
            }
            held = wanted;
        }

        /** For a body of unknown length that has more bytes than are held: as many again, as far as a body may go. */
        synchronized void grow() {
            reach(held < maxBodyBytes ? Math.clamp(2 * held, FIRST_PIECE, maxBodyBytes) : held + 1);
        }

        synchronized long held() {
            return held;
        }

        @Override
        public synchronized void close() {
            if (!closed) {
                give(held);
                closed = true;
            }
        }
    }
}
