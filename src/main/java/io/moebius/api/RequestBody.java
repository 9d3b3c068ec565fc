package io.moebius.api;

import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/** A request's body, whose bytes count in {@link BodyRoom} from its headers until it has become a request. */
final class RequestBody {

    private static final String KEY = RequestBody.class.getName();

    private final RoutingContext context;
    private final BodyRoom.Share share;
    private final long maxBytes;
    private final Duration patience;

    private RequestBody(RoutingContext context, BodyRoom.Share share, long maxBytes, Duration patience) {
        this.context = context;
        this.share = share;
        this.maxBytes = maxBytes;
        this.patience = patience;
    }

    /**
     * Before the first byte has been read.
     *
     * @param length   of Content-Length, 0 where it is not known
     * @param patience how long the next byte is waited for
     * @throws ApiException 413 or 429 if the body does not fit
     */
    static void expect(RoutingContext context, BodyRoom room, long length, Duration patience) {
        BodyRoom.Share share = room.share();
        share.reach(length);
        context.put(KEY, new RequestBody(context, share, room.maxBodyBytes(), patience)).addEndHandler(ended -> share.close());
    }

    /**
     * Reads all of it.
     *
     * @param request makes what is kept of it
     * @throws ApiException 413 or 429 if more bytes come than fit; what is left of the body is read and forgotten before
     * @throws IOException  if the client has gone, or sends no more of it
     */
    static <T> T read(InputStream body, RoutingContext context, Function<byte[], T> request) throws IOException {
        RequestBody expected = context.get(KEY);
        try (BodyRoom.Share share = expected.share) {
            return request.apply(expected.bytes(body));
        }
    }

    /** Arrays are as large as the share. */
    private byte[] bytes(InputStream body) throws IOException {
        byte[] bytes = new byte[(int) share.held()];
        byte[] next = new byte[1];
        int size = 0;
        while (true) {
            boolean full = size == bytes.length;
            int count = full ? piece(body, next, 0) : piece(body, bytes, size);
            if (count < 0) {
                return full ? bytes : Arrays.copyOf(bytes, size);
            }
            if (full) {
                try {
                    share.grow();
                } catch (ApiException refused) {
                    bytes = null;
                    share.close();
                    try {
                        forget(body, maxBytes + maxBytes / 8 - size - count);
                    } catch (IOException ended) {
                        refused.addSuppressed(ended);
                    }
                    throw refused;
                }
                bytes = Arrays.copyOf(bytes, (int) share.held());
                bytes[size] = next[0];
            }
            size += count;
        }
    }

    /** @param most bytes that are waited for: fewer than the server cuts a body off at */
    private void forget(InputStream body, long most) throws IOException {
        byte[] forgotten = new byte[1 << 13];
        long left = most;
        for (int count = 0; count >= 0 && left > 0; left -= count) {
            count = piece(body, forgotten, 0);
        }
        if (left <= 0) {
            IgnoredBody.closeAfterAnswer(context);
        }
    }

    /**
     * What has come, at least a byte; -1 at the end. Another thread reads, for the stream itself ends waiting by closing the connection,
     * and nobody could be answered.
     */
    private int piece(InputStream body, byte[] to, int from) throws IOException {
        FutureTask<Integer> piece = new FutureTask<>(() -> body.read(to, from, to.length - from));
        Thread.startVirtualThread(piece);
        try {
            return piece.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            IgnoredBody.closeAfterAnswer(context);
            throw new IOException("nothing came for %.0f s".formatted(patience.toMillis() / 1e3));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ApiException.unavailable("the server is stopping", "server_is_draining");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException broken -> throw broken;
                case RuntimeException refused -> throw refused;
                default -> throw new IllegalStateException(e.getCause());
            }
        }
    }
}
