package io.moebius.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Refuses fields that would change the answer and have no effect here, unless their value asks for nothing. */
final class UnsupportedFields {

    /** Field to values, as JSON text, that ask for nothing beside null, false, 0, "" and empty lists and objects. */
    private static final Map<String, Set<String>> NEUTRAL = Map.of(
            "best_of", Set.of("1"),
            "no_repeat_ngram", Set.of("1"),
            "encoder_no_repeat_ngram", Set.of("1"),
            "encoder_repetition_penalty", Set.of("1", "1.0"),
            "response_format", Set.of("{\"type\":\"text\"}"),
            "tool_choice", Set.of("\"none\"", "\"auto\""),
            "function_call", Set.of("\"none\"", "\"auto\""),
            "num_beams", Set.of("1"),
            "length_penalty", Set.of("1", "1.0"),
            "modalities", Set.of("[\"text\"]"));

    private static final List<String> OTHERS = List.of(
            "tools", "functions", "bad_words", "bad_word_tokens", "stop_tokens", "xtc_threshold", "xtc_probability",
            "forced_output_tokens", "token_index_to_replace", "embedding_to_replace", "echo", "suffix",
            "reasoning_effort", "reasoning_budget", "parse_reasoning", "include_reasoning", "chat_template",
            "chat_template_kwargs", "audio", "prediction", "web_search_options", "include_output_logits",
            "include_output_logprobs", "early_stopping", "prompt_embeds", "continue_final_message");

    private UnsupportedFields() {}

    static void check(ObjectNode body) {
        NEUTRAL.forEach((field, neutral) -> check(body, field, neutral));
        OTHERS.forEach(field -> check(body, field, Set.of()));
    }

    private static void check(ObjectNode body, String field, Set<String> neutral) {
        JsonNode value = body.get(field);
        if (value != null && !asksForNothing(value) && !neutral.contains(value.toString())) {
            throw ApiException.unsupported(field);
        }
    }

    private static boolean asksForNothing(JsonNode value) {
        return switch (value.getNodeType()) {
            case NULL -> true;
            case BOOLEAN -> !value.booleanValue();
            case NUMBER -> value.doubleValue() == 0;
            case STRING -> value.textValue().isEmpty();
            case ARRAY, OBJECT -> value.isEmpty();
            default -> false;
        };
    }
}
