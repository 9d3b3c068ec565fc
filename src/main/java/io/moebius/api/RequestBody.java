package io.moebius.api;

import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.function.Function;

/** A request's body, whose bytes count in {@link BodyRoom} from its headers until it has become a request. */
final class RequestBody {

    private static final String SHARE = BodyRoom.Share.class.getName();

    private RequestBody() {}

    /**
     * Before the first byte has been read.
     *
     * @param length of Content-Length, 0 where it is not known
     * @throws ApiException 413 or 429 if the body does not fit
     */
    static void expect(RoutingContext context, BodyRoom room, long length) {
        BodyRoom.Share share = room.share();
        share.reach(length);
        context.put(SHARE, share).addEndHandler(ended -> share.close());
    }

    /**
     * Reads all of it.
     *
     * @param request makes what is kept of it
     * @throws ApiException 413 or 429 if more bytes come than fit; what is left of the body is read and forgotten before
     * @throws IOException  if the client has gone, or was told already that the body is too large
     */
    static <T> T read(InputStream body, RoutingContext context, Function<byte[], T> request) throws IOException {
        try (BodyRoom.Share share = context.get(SHARE)) {
            return request.apply(bytes(body, share));
        }
    }

    /** Arrays are as large as the share. */
    private static byte[] bytes(InputStream body, BodyRoom.Share share) throws IOException {
        byte[] bytes = new byte[(int) share.held()];
        int size = 0;
        while (true) {
            size += body.readNBytes(bytes, size, bytes.length - size);
            int next = body.read();
            if (next < 0) {
                return size == bytes.length ? bytes : Arrays.copyOf(bytes, size);
            }
            try {
                share.grow();
            } catch (ApiException full) {
                bytes = null;
                share.close();
                body.transferTo(OutputStream.nullOutputStream());
                throw full;
            }
            bytes = Arrays.copyOf(bytes, (int) share.held());
            bytes[size++] = (byte) next;
        }
    }
}
