package io.moebius.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;

/** What chat and completions have in common; null is absent. */
@RegisterForReflection
record GenerationRequest(
        String model,
        Boolean stream,
        @JsonProperty("stream_options") StreamOptions streamOptions,
        Integer n,
        @JsonProperty("max_tokens") Integer maxTokens,
        @JsonProperty("max_completion_tokens") Integer maxCompletionTokens,
        @JsonProperty("max_total_tokens") Integer maxTotalTokens,
        @JsonProperty("min_tokens") Integer minTokens,
        @JsonProperty("min_total_tokens") Integer minTotalTokens,
        Double temperature,
        @JsonProperty("top_k") Integer topK,
        @JsonProperty("top_p") Double topP,
        @JsonProperty("min_p") Double minP,
        @JsonProperty("repetition_penalty") Double repetitionPenalty,
        @JsonProperty("presence_penalty") Double presencePenalty,
        @JsonProperty("frequency_penalty") Double frequencyPenalty,
        @JsonProperty("logit_bias") JsonNode logitBias,
        JsonNode stop,
        JsonNode seed,
        @JsonProperty("eos_token") List<Integer> eosToken) {

    boolean streams() {
        return Boolean.TRUE.equals(stream);
    }

    boolean includesUsage() {
        return streamOptions != null && Boolean.TRUE.equals(streamOptions.includeUsage());
    }

    int choices() {
        return n == null ? 1 : n;
    }

    @RegisterForReflection
    record StreamOptions(@JsonProperty("include_usage") Boolean includeUsage) {}
}
