package io.moebius.api;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.engine.Sampling;
import java.util.HashMap;
import java.util.Map;

/** How tokens are chosen, out of a request. */
final class SamplingValidation {

    private static final double SMALLEST_TOP_P = 1e-6;

    private SamplingValidation() {}

    /** @throws ApiException 400 naming the field */
    static Sampling sampling(GenerationRequest request, int vocabulary) {
        return new Sampling(
                Check.between("temperature", request.temperature(), 0, 2, 1),
                Check.atLeast("top_k", request.topK(), 0, 0),
                Check.between("top_p", request.topP(), SMALLEST_TOP_P, 1, 1),
                Check.between("min_p", request.minP(), 0, 1, 0),
                Check.between("repetition_penalty", request.repetitionPenalty(), 0.01, 100, 1),
                Check.between("presence_penalty", request.presencePenalty(), -2, 2, 0),
                Check.between("frequency_penalty", request.frequencyPenalty(), -2, 2, 0),
                logitBias(request.logitBias(), vocabulary),
                0);
    }

    static Sampling withSeed(Sampling s, long seed) {
        return new Sampling(
                s.temperature(), s.topK(), s.topP(), s.minP(), s.repetitionPenalty(), s.presencePenalty(),
                s.frequencyPenalty(), s.logitBias(), seed);
    }

    private static Map<Integer, Float> logitBias(JsonNode node, int vocabulary) {
        if (node == null || node.isNull()) {
            return Map.of();
        }
        if (!node.isObject()) {
            throw ApiException.invalid("logit_bias", "logit_bias must be an object from token ids to numbers");
        }
        Map<Integer, Float> biases = new HashMap<>();
        for (Map.Entry<String, JsonNode> bias : node.properties()) {
            if (!bias.getKey().matches("0|[1-9][0-9]{0,8}")) {
                throw ApiException.invalid(
                        "logit_bias",
                        "logit_bias has a key of %d characters that is no token id; ids run from 0 to %d"
                                .formatted(bias.getKey().length(), vocabulary - 1));
            }
            int id = Check.token("logit_bias", Integer.valueOf(bias.getKey()), vocabulary);
            if (!bias.getValue().isNumber()) {
                throw ApiException.invalid("logit_bias", "logit_bias of token %d must be a number".formatted(id));
            }
            biases.put(id, Check.between("logit_bias", bias.getValue().doubleValue(), -100, 100, 0));
        }
        return biases;
    }
}
