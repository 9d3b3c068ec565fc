package io.moebius.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;

@Path("/v1/tokenize")
public final class TokenizeResource {

    private final Readiness readiness;
    private final StrictJson json;

    TokenizeResource(Readiness readiness, StrictJson json) {
        this.readiness = readiness;
        this.json = json;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public String tokenize(InputStream body, @Context RoutingContext context) throws IOException {
        return RequestBody.read(body, context, this::tokenize);
    }

    private String tokenize(byte[] bytes) {
        ServedModel model = readiness.model();
        TokenizeRequest request = json.read(json.object(bytes), TokenizeRequest.class);
        Models.check(model, request.model());
        if (request.prompt() == null) {
            throw ApiException.invalid("prompt", "prompt is missing; it must be a string");
        }
        ObjectNode reply = JsonNodeFactory.instance.objectNode();
        ArrayNode tokens = reply.putArray("tokens");
        for (int id : Prompts.ofText(model, request.prompt())) {
            tokens.add(id);
        }
        return reply.toString();
    }
}
