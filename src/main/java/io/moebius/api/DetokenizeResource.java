package io.moebius.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
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

@Path("/v1/detokenize")
public final class DetokenizeResource {

    private final Readiness readiness;
    private final StrictJson json;

    DetokenizeResource(Readiness readiness, StrictJson json) {
        this.readiness = readiness;
        this.json = json;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public String detokenize(InputStream body, @Context RoutingContext context) throws IOException {
        return RequestBody.read(body, context, this::detokenize);
    }

    private String detokenize(byte[] bytes) {
        ServedModel model = readiness.model();
        DetokenizeRequest request = json.read(json.object(bytes), DetokenizeRequest.class);
        Models.check(model, request.model());
        if (request.tokens() == null) {
            throw ApiException.invalid("tokens", "tokens is missing; it must be a list of token ids");
        }
        int[] ids = request.tokens().stream()
                .mapToInt(id -> Check.token("tokens", id, model.tokenizer().vocabulary()))
                .toArray();
        String text = model.tokenizer().decode(ids, model.skipSpecialTokens());
        return JsonNodeFactory.instance.objectNode().put("text", text).toString();
    }
}
