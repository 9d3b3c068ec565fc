package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.moebius.backend.ActivationQuantization;

/**
 * compressed-tensors "float-quantized" (llm-compressor): weight_scale of shape [1], [rows, 1] or one per block; inputs are
 * unquantised, static with input_scale, or scaled per token or group.
 */
final class CompressedTensors {

    private static final String GROUPS = "config_groups";

    private CompressedTensors() {}

    static Fp8 read(ConfigFields quantization) {
        JsonNode groups = quantization.json().path(GROUPS);
        JsonNode group = groups.isObject() && groups.size() == 1 ? groups.iterator().next() : MissingNode.getInstance();
        JsonNode weights = group.path("weights");
        if (!quantization.text("format", "").equals("float-quantized")
                || weights.path("num_bits").asInt() != 8
                || !weights.path("type").asText().equals("float")) {
            throw quantization.wrong(
                    GROUPS, "one group of 8-bit float weights in the format float-quantized; else take the unquantised model and give --quantization");
        }
        JsonNode block = weights.path("block_structure");
        boolean blocks = weights.path("strategy").asText().equals("block");
        if (blocks && (block.size() != 2 || block.path(0).asInt() < 1 || block.path(1).asInt() < 1)) {
            throw quantization.wrong(GROUPS, "a block_structure of two whole numbers over 0");
        }
        JsonNode cache = quantization.json().path("kv_cache_scheme");
        return new Fp8(
                "compressed-tensors FP8",
                Fp8.E4M3,
                blocks ? block.path(0).asInt() : 0,
                blocks ? block.path(1).asInt() : 0,
                inputs(quantization, group.path("input_activations")),
                cache.path("num_bits").asInt() == 8 && cache.path("type").asText().equals("float"),
                LayerPatterns.read(quantization, "ignore"));
    }

    private static ActivationQuantization inputs(ConfigFields quantization, JsonNode inputs) {
        if (inputs.isMissingNode() || inputs.isNull()) {
            return new ActivationQuantization.None();
        }
        if (!inputs.path("dynamic").asBoolean()) {
            return null;
        }
        return switch (inputs.path("strategy").asText()) {
            case "token" -> new ActivationQuantization.PerToken();
            case "group" -> new ActivationQuantization.PerGroup(Math.max(1, inputs.path("group_size").asInt()));
            default -> throw quantization.wrong(GROUPS, "dynamic input_activations per token or group");
        };
    }
}
