package io.moebius.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;

/** What only /v1/chat/completions takes. */
@RegisterForReflection
record ChatRequest(
        List<Message> messages, Boolean logprobs, @JsonProperty("top_logprobs") Integer topLogprobs) {

    @RegisterForReflection
    record Message(String role, JsonNode content, @JsonProperty("tool_calls") JsonNode toolCalls) {}
}
