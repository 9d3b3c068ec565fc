package io.moebius.api;

import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Response;
import java.io.IOException;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Puts every error of the web port into the envelope. */
final class ErrorMappers {

    private static final Logger LOG = Logger.getLogger(ErrorMappers.class);

    @ServerExceptionMapper
    Response api(ApiException e) {
        return ErrorReply.response(e);
    }

    @ServerExceptionMapper
    Response web(WebApplicationException e) {
        int status = e.getResponse().getStatus();
        Response reply = ErrorReply.response(new ApiException(
                status,
                status < 500 ? "invalid_request_error" : "server_error",
                message(status),
                null,
                code(status)));
        String allow = e.getResponse().getHeaderString("Allow");
        return allow == null ? reply : Response.fromResponse(reply).header("Allow", allow).build();
    }

    /** Of reading a body; who has gone gets no answer. */
    @ServerExceptionMapper
    Response broken(IOException e) {
        return ErrorReply.response(new ApiException(
                408, "invalid_request_error", "the rest of the body did not come (" + e.getMessage() + ")", null, "request_timeout"));
    }

    @ServerExceptionMapper
    Response bug(RuntimeException e) {
        LOG.error("a request failed", e);
        return ErrorReply.response(new ApiException(500, "server_error", "the server failed; its log says why", null, "internal_error"));
    }

    private static String message(int status) {
        return switch (status) {
            case 404 -> "there is no such path here; see /v1/models, /v1/chat/completions and /v1/completions";
            case 405 -> "this path does not take this method";
            case 413 -> "the body is larger than the server's limit";
            case 415 -> "the body must have the header Content-Type: application/json";
            case 406 -> "this path answers application/json or, for streams, text/event-stream";
            default -> "the request could not be read (HTTP status " + status + ")";
        };
    }

    private static String code(int status) {
        return switch (status) {
            case 404 -> "not_found";
            case 405 -> "method_not_allowed";
            case 413 -> "request_too_large";
            case 415 -> "unsupported_media_type";
            default -> "bad_request";
        };
    }
}
