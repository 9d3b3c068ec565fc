package io.moebius.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.moebius.engine.GeneratedToken;
import java.time.Instant;
import java.util.List;

/** Objects chat.completion and chat.completion.chunk. */
final class ChatAnswer implements AnswerWriter {

    private final GenerationPlan plan;
    private final String id = AnswerId.next("chatcmpl-");
    private final long created = Instant.now().getEpochSecond();

    ChatAnswer(GenerationPlan plan) {
        this.plan = plan;
    }

    @Override
    public ObjectNode whole(Generation generation) {
        ObjectNode answer = head("chat.completion");
        var choices = answer.putArray("choices");
        for (Choice choice : generation.choices()) {
            ObjectNode node = choices.addObject().put("index", choice.index());
            node.putObject("message").put("role", "assistant").put("content", choice.text()).putNull("refusal");
            putLogprobs(node, choice, choice.tokens());
            node.put("finish_reason", choice.finishReason());
            node.put("seed", Seeds.unsigned(choice.seed()));
        }
        answer.set("usage", Usage.of(plan, generation));
        return answer;
    }

    /** Every choice's role, in order of index, before any content: client libraries count on it. */
    @Override
    public void begin(Exchange exchange, Generation generation) throws InterruptedException, ClientGoneException {
        for (Choice choice : generation.choices()) {
            ObjectNode chunk = head("chat.completion.chunk");
            ObjectNode node = choice(chunk, choice);
            node.putObject("delta").put("role", "assistant").put("content", "");
            node.putNull("logprobs").putNull("finish_reason");
            exchange.event(withUsage(chunk));
        }
    }

    @Override
    public void progress(Exchange exchange, Choice choice) throws InterruptedException, ClientGoneException {
        if (choice.hasNewText()) {
            ObjectNode chunk = head("chat.completion.chunk");
            ObjectNode node = choice(chunk, choice);
            node.putObject("delta").put("content", choice.takeText());
            putLogprobs(node, choice, choice.takeTokens());
            node.putNull("finish_reason");
            exchange.event(withUsage(chunk));
        }
        if (!choice.isOpen()) {
            ObjectNode chunk = head("chat.completion.chunk");
            ObjectNode node = choice(chunk, choice);
            node.putObject("delta");
            putLogprobs(node, choice, choice.takeTokens().stream().filter(t -> !choice.isStopToken(t)).toList());
            node.put("finish_reason", choice.finishReason());
            exchange.event(withUsage(chunk));
        }
    }

    @Override
    public ObjectNode usage(Generation generation) {
        ObjectNode chunk = head("chat.completion.chunk");
        chunk.putArray("choices");
        chunk.set("usage", Usage.of(plan, generation));
        return chunk;
    }

    private ObjectNode head(String object) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("id", id)
                .put("object", object)
                .put("created", created)
                .put("model", plan.model().id());
    }

    private static ObjectNode choice(ObjectNode chunk, Choice choice) {
        return chunk.putArray("choices").addObject().put("index", choice.index());
    }

    private ObjectNode withUsage(ObjectNode chunk) {
        return plan.usage() ? chunk.putNull("usage") : chunk;
    }

    private void putLogprobs(ObjectNode node, Choice choice, List<GeneratedToken> tokens) {
        boolean none = choice.topLogprobs() < 0 || (plan.stream() && tokens.isEmpty());
        node.set("logprobs", none ? null : ChatLogprobs.of(plan.model().tokenizer(), choice, tokens));
    }
}
