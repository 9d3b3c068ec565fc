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
import java.util.List;

@Path("/v1/chat/completions")
public final class ChatResource {

    private final Readiness readiness;
    private final StrictJson json;
    private final Answering answering;

    ChatResource(Readiness readiness, StrictJson json, Answering answering) {
        this.readiness = readiness;
        this.json = json;
        this.answering = answering;
    }

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @RunOnVirtualThread
    public void complete(InputStream body, @Context RoutingContext context) throws IOException {
        GenerationPlan plan = RequestBody.read(body, context, this::plan);
        answering.answer(plan, new ChatAnswer(plan), context);
    }

    private GenerationPlan plan(byte[] bytes) {
        ServedModel model = readiness.model();
        ObjectNode body = json.object(bytes);
        GenerationRequest request = json.read(body, GenerationRequest.class);
        ChatRequest chat = json.read(body, ChatRequest.class);
        Models.check(model, request.model());
        GenerationPlan.checkShape(body, request, model);
        int topLogprobs = topLogprobs(chat);
        int[] prompt = Prompts.ofChat(model, chat.messages());
        return GenerationPlan.of(model, request, List.of(prompt), true, topLogprobs, "messages");
    }

    private static int topLogprobs(ChatRequest chat) {
        boolean asked = Boolean.TRUE.equals(chat.logprobs());
        int top = Check.between("top_logprobs", chat.topLogprobs(), 0, Prompt.MOST_TOP_LOGPROBS, 0);
        if (top > 0 && !asked) {
            throw ApiException.invalid("top_logprobs", "top_logprobs is %d; it needs logprobs: true".formatted(top));
        }
        return asked ? top : -1;
    }
}
