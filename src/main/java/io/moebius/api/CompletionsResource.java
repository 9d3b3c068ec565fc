package io.moebius.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.moebius.engine.Prompt;
import io.smallrye.common.annotation.RunOnVirtualThread;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.io.InputStream;

@Path("/v1/completions")
public final class CompletionsResource {

    private final Readiness readiness;
    private final StrictJson json;
    private final Answering answering;

    CompletionsResource(Readiness readiness, StrictJson json, Answering answering) {
        this.readiness = readiness;
        this.json = json;
        this.answering = answering;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public void complete(InputStream body, @Context RoutingContext context) throws IOException {
        GenerationPlan plan = RequestBody.read(body, context, this::plan);
        answering.answer(plan, new CompletionAnswer(plan), context);
    }

    private GenerationPlan plan(byte[] bytes) {
        ServedModel model = readiness.model();
        ObjectNode body = json.object(bytes);
        GenerationRequest request = json.read(body, GenerationRequest.class);
        CompletionRequest completion = json.read(body, CompletionRequest.class);
        Models.check(model, request.model());
        GenerationPlan.checkShape(body, request, model);
        int topLogprobs = Check.between("logprobs", completion.logprobs(), 0, Prompt.MOST_TOP_LOGPROBS, -1);
        String param = completion.tokens() == null ? "prompt" : "tokens";
        return GenerationPlan.of(model, request, Prompts.ofCompletion(model, completion), false, topLogprobs, param);
    }
}
