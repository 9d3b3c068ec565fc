package io.moebius.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.ExecutionException;

/**
 * The HTTP reply of a request, written by the request's own thread: each write waits until the socket has taken it, so a
 * slow client slows only itself, and an event of a stream is one write.
 */
final class Exchange {

    private final HttpServerResponse response;

    Exchange(RoutingContext context, Runnable onGone) {
        this.response = context.response();
        // Not response.closeHandler: that has one place, which belongs to the server.
        context.addEndHandler(end -> {
            if (end.failed()) {
                onGone.run();
            }
        });
        if (response.closed()) {
            onGone.run();
        }
    }

    boolean streaming() {
        return response.headWritten();
    }

    void answer(JsonNode body) throws InterruptedException, ClientGoneException {
        response.putHeader("Content-Type", "application/json");
        await(response.end(Buffer.buffer(body.toString())));
    }

    /** An event of a stream; the first one sends the headers too. */
    void event(JsonNode data) throws InterruptedException, ClientGoneException {
        write("data: " + data + "\n\n");
    }

    /** The regular end of a stream. */
    void done() throws InterruptedException, ClientGoneException {
        write("data: [DONE]\n\n");
        await(response.end());
    }

    /** An error after the headers: the stream ends with it and without [DONE], at which clients would stop reading. */
    void fail(ApiException e) throws InterruptedException, ClientGoneException {
        event(ErrorReply.body(e));
        await(response.end());
    }

    private void write(String event) throws InterruptedException, ClientGoneException {
        if (!response.headWritten()) {
            response.setChunked(true)
                    .putHeader("Content-Type", "text/event-stream; charset=utf-8")
                    .putHeader("Cache-Control", "no-cache")
                    .putHeader("X-Accel-Buffering", "no");
        }
        await(response.write(Buffer.buffer(event)));
    }

    private static void await(Future<Void> written) throws InterruptedException, ClientGoneException {
        try {
            written.toCompletionStage().toCompletableFuture().get();
        } catch (ExecutionException e) {
            throw new ClientGoneException();
        }
    }
}
