package io.moebius.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.text.ChatMessage;
import io.moebius.text.Tokenizer;
import io.moebius.text.template.TemplateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Token ids of what a request asks the model to go on from. */
final class Prompts {

    private static final Set<String> ROLES = Set.of("system", "user", "assistant");

    private Prompts() {}

    static int[] ofChat(ServedModel model, List<ChatRequest.Message> messages) {
        if (messages == null || messages.isEmpty()) {
            throw ApiException.invalid("messages", "messages is empty; it must have at least one message");
        }
        List<ChatMessage> conversation = new ArrayList<>();
        long bytes = 0;
        for (int i = 0; i < messages.size(); i++) {
            ChatMessage message = message("messages[" + i + "]", messages.get(i));
            bytes += ContextLength.bytes(message.content());
            conversation.add(message);
        }
        ContextLength.checkBytes(model, "messages", bytes);
        try {
            return model.chatTemplate().ids(conversation);
        } catch (TemplateException e) {
            throw ApiException.invalid("messages", e.getMessage());
        }
    }

    static List<int[]> ofCompletion(ServedModel model, CompletionRequest request) {
        boolean prompt = request.prompt() != null && !request.prompt().isNull();
        if (prompt == (request.tokens() != null)) {
            throw ApiException.invalid("prompt", "give exactly one of prompt and tokens");
        }
        return prompt ? ofPrompt(model, request.prompt()) : List.of(ids(model, "tokens", request.tokens()));
    }

    static int[] ids(ServedModel model, String param, List<Integer> tokens) {
        return tokens.stream().mapToInt(id -> Check.token(param, id, model.vocabulary())).toArray();
    }

    static int[] ofText(ServedModel model, String text) {
        ContextLength.checkBytes(model, "prompt", ContextLength.bytes(Check.text("prompt", text)));
        Tokenizer tokenizer = model.tokenizer();
        int[] ids = tokenizer.encode(text);
        boolean bos = model.addSpecialTokens() && tokenizer.bosToken() >= 0;
        return bos ? IntStream.concat(IntStream.of(tokenizer.bosToken()), IntStream.of(ids)).toArray() : ids;
    }

    private static List<int[]> ofPrompt(ServedModel model, JsonNode prompt) {
        if (prompt.isTextual()) {
            return List.of(nonEmpty(model, prompt.textValue()));
        }
        if (!prompt.isArray() || prompt.isEmpty() || prompt.size() > 128) {
            throw ApiException.invalid("prompt", "prompt must be a string or a list of 1 to 128 strings");
        }
        List<int[]> prompts = new ArrayList<>();
        for (JsonNode text : prompt) {
            if (!text.isTextual()) {
                throw ApiException.invalid("prompt", "prompt must hold strings only; give token ids as tokens");
            }
            prompts.add(nonEmpty(model, text.textValue()));
        }
        return prompts;
    }

    private static int[] nonEmpty(ServedModel model, String text) {
        if (text.isEmpty()) {
            throw ApiException.invalid("prompt", "prompt is empty; it must have at least one character");
        }
        return ofText(model, text);
    }

    private static ChatMessage message(String param, ChatRequest.Message message) {
        if (message == null) {
            throw ApiException.invalid(param, param + " is null; it must be an object with role and content");
        }
        if (message.role() == null || !ROLES.contains(message.role())) {
            throw ApiException.invalid(param + ".role", param + ".role must be system, user or assistant");
        }
        if (message.toolCalls() != null && !message.toolCalls().isNull() && !message.toolCalls().isEmpty()) {
            throw ApiException.unsupported(param + ".tool_calls");
        }
        return new ChatMessage(message.role(), content(param + ".content", message.content()));
    }

    private static String content(String param, JsonNode content) {
        if (content != null && content.isTextual()) {
            return Check.text(param, content.textValue());
        }
        if (content == null || !content.isArray() || content.isEmpty()) {
            throw ApiException.invalid(param, param + " must be a string or a list of text parts");
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
            if (!part.path("type").asText().equals("text") || !part.path("text").isTextual()) {
                throw ApiException.invalid(
                        param, param + " may hold parts {\"type\": \"text\", \"text\": \"...\"} only: the model reads text alone");
            }
            text.append(Check.text(param, part.path("text").textValue()));
        }
        return text.toString();
    }
}
