package io.moebius.api;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;

/**
 * The body of a request that is refused. It is thrown away before the answer is sent, for most clients read none before they have sent
 * everything; one that sends more than is waited for gets its answer then, and its connection is closed, as for one that waits with its
 * body to be told so. Over HTTP/2, where others share the connection, its stream is reset.
 */
final class IgnoredBody {

    private final HttpServerRequest request;
    private final String answer;
    private long left;

    IgnoredBody(HttpServerRequest request, String answer) {
        this.request = request;
        this.answer = answer;
    }

    /** @param most bytes that are waited for */
    void read(long most) {
        left = most;
        if (request.getHeader("Expect") != null) {
            answerAndClose();
            return;
        }
        request.handler(this::ignore).endHandler(end -> answer()).resume();
    }

    private void ignore(Buffer bytes) {
        left -= bytes.length();
        if (left < 0 && !request.response().ended()) {
            answerAndClose();
        }
    }

    private void answerAndClose() {
        announceClose(request);
        request.response().end(answer).onComplete(sent -> close(request));
    }

    /** The same for a body that others have read until now and nobody reads to its end, whatever the answer will be. */
    static void closeAfterAnswer(RoutingContext context) {
        announceClose(context.request());
        context.addEndHandler(answered -> close(context.request()));
    }

    private static void announceClose(HttpServerRequest request) {
        if (request.version() != HttpVersion.HTTP_2) {
            request.response().putHeader("Connection", "close");
        }
    }

    private static void close(HttpServerRequest request) {
        if (request.version() == HttpVersion.HTTP_2) {
            request.response().reset(0);
        } else {
            request.connection().close();
        }
    }

    private void answer() {
        if (!request.response().ended()) {
            request.response().end(answer);
        }
    }
}
