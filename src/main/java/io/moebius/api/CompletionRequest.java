package io.moebius.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;

/** What only /v1/completions takes: exactly one of prompt and tokens. */
@RegisterForReflection
record CompletionRequest(JsonNode prompt, List<Integer> tokens, Integer logprobs) {}
