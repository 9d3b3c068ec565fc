package io.moebius.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.Map;

/** OpenAI's error envelope: all four keys, code a string. */
final class ErrorReply {

    private ErrorReply() {}

    /** What goes with a status, whoever answers. */
    static Map<String, String> headers(int status) {
        return switch (status) {
            case 401 -> Map.of("WWW-Authenticate", "Bearer");
            // Seconds.
            case 429, 503 -> Map.of("Retry-After", "1");
            default -> Map.of();
        };
    }

    static ObjectNode body(ApiException e) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", e.getMessage())
                .put("type", e.type())
                .put("param", e.param())
                .put("code", e.code());
        return body;
    }

    static Response response(ApiException e) {
        Response.ResponseBuilder response = Response.status(e.status())
                .type(MediaType.APPLICATION_JSON_TYPE)
                .entity(body(e).toString());
        headers(e.status()).forEach(response::header);
        return response.build();
    }
}
