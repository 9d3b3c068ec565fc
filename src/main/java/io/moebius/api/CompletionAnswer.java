package io.moebius.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.moebius.engine.GeneratedToken;
import java.time.Instant;
import java.util.List;

/** Objects text_completion: whole, and as a stream of one chunk per token and one that ends each choice. */
final class CompletionAnswer implements AnswerWriter {

    private final GenerationPlan plan;
    private final String id = AnswerId.next("cmpl-");
    private final long created = Instant.now().getEpochSecond();

    CompletionAnswer(GenerationPlan plan) {
        this.plan = plan;
    }

    @Override
    public ObjectNode whole(Generation generation) {
        ObjectNode answer = head();
        ArrayNode choices = answer.putArray("choices");
        for (Choice choice : generation.choices()) {
            ObjectNode node = choices.addObject().put("index", choice.index()).put("text", choice.text());
            node.put("seed", Seeds.unsigned(choice.seed())).put("finish_reason", choice.finishReason());
            ArrayNode tokens = node.putArray("tokens");
            choice.tokens().forEach(token -> tokens.add(token.id()));
            putLogprobs(node, choice, choice.tokens(), 0);
        }
        answer.set("usage", Usage.of(plan, generation));
        return answer;
    }

    @Override
    public void begin(Exchange exchange, Generation generation) {}

    @Override
    public void progress(Exchange exchange, Choice choice) throws InterruptedException, ClientGoneException {
        for (GeneratedToken token : choice.takeTokens()) {
            ObjectNode chunk = head();
            ObjectNode node = choice(chunk, choice, choice.takeText()).put("token", token.id());
            node.putNull("finish_reason");
            putLogprobs(node, choice, choice.isStopToken(token) ? List.of() : List.of(token), choice.tokenOffset());
            exchange.event(withUsage(chunk));
        }
        if (!choice.isOpen()) {
            ObjectNode chunk = head();
            ObjectNode node = choice(chunk, choice, choice.takeText());
            node.put("finish_reason", choice.finishReason()).putNull("logprobs");
            exchange.event(withUsage(chunk));
        }
    }

    @Override
    public ObjectNode usage(Generation generation) {
        ObjectNode chunk = head();
        chunk.putArray("choices");
        chunk.set("usage", Usage.of(plan, generation));
        return chunk;
    }

    private ObjectNode head() {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", id)
                .put("object", "text_completion")
                .put("created", created)
                .put("model", plan.model().id());
    }

    private static ObjectNode choice(ObjectNode chunk, Choice choice, String text) {
        return chunk.putArray("choices").addObject().put("index", choice.index()).put("text", text);
    }

    private ObjectNode withUsage(ObjectNode chunk) {
        return plan.usage() ? chunk.putNull("usage") : chunk;
    }

    private void putLogprobs(ObjectNode node, Choice choice, List<GeneratedToken> tokens, int offset) {
        boolean none = choice.topLogprobs() < 0 || (plan.stream() && tokens.isEmpty());
        node.set("logprobs", none ? null : CompletionLogprobs.of(plan.model().tokenizer(), choice, tokens, offset));
    }
}
