package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.Arrays;
import java.util.Map;

/**
 * compressed-tensors "float-quantized" (llm-compressor): weight_scale of shape [1], [rows, 1] or one per block; inputs are
 * unquantised, static with input_scale, or scaled per token or group.
 *
 * @param blockRows  0 where weights are not quantised in blocks
 * @param activation null: static, by each layer's input_scale
 */
record CompressedTensors(int blockRows, int blockColumns, ActivationQuantization activation) implements Quantization {

    static CompressedTensors read(ConfigFields quantization) {
        JsonNode group = quantization.json().path("config_groups").path("group_0");
        JsonNode weights = group.path("weights");
        if (!quantization.text("format", "").equals("float-quantized")
                || quantization.json().path("config_groups").size() != 1
                || weights.path("num_bits").asInt() != 8
                || !weights.path("type").asText().equals("float")) {
            throw quantization.wrong("config_groups", "one group of 8-bit float weights in the format float-quantized");
        }
        JsonNode block = weights.path("block_structure");
        boolean blocks = weights.path("strategy").asText().equals("block");
        if (blocks && (block.size() != 2 || block.path(0).asInt() < 1 || block.path(1).asInt() < 1)) {
            throw quantization.wrong("config_groups", "a block_structure of two whole numbers over 0");
        }
        return new CompressedTensors(
                blocks ? block.path(0).intValue() : 0,
                blocks ? block.path(1).intValue() : 0,
                activation(quantization, group.path("input_activations")));
    }

    private static ActivationQuantization activation(ConfigFields quantization, JsonNode inputs) {
        if (inputs.isMissingNode() || inputs.isNull()) {
            return new ActivationQuantization.None();
        }
        if (!inputs.path("dynamic").asBoolean()) {
            return null;
        }
        return switch (inputs.path("strategy").asText()) {
            case "token" -> new ActivationQuantization.PerToken();
            case "group" -> new ActivationQuantization.PerGroup(Math.max(1, inputs.path("group_size").asInt()));
            default -> throw quantization.wrong("config_groups", "dynamic input_activations per token or group");
        };
    }

    @Override
    public String description() {
        return "compressed-tensors FP8";
    }

    @Override
    public String storedType() {
        return "F8_E4M3";
    }

    @Override
    public Scales scales(String layer, int rows, int columns, Map<String, RawTensor> tensors) {
        String name = layer + ".weight_scale";
        RawTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw Quantization.missing(layer);
        }
        float[] values = Quantization.checked(name, tensor.floats());
        if (tensor.hasShape() || tensor.hasShape(1)) {
            return Scales.perTensor(values[0], rows, columns);
        }
        if (tensor.hasShape(rows, 1)) {
            return Scales.perRow(values, columns);
        }
        if (blockRows > 0 && tensor.hasShape(Math.ceilDiv(rows, blockRows), Math.ceilDiv(columns, blockColumns))) {
            return new Scales(values, blockRows, blockColumns);
        }
        throw new CheckpointException("tensor %s has shape %s; allowed: [1], [%d, 1], or one scale per block"
                .formatted(name, Arrays.toString(tensor.shape()), rows));
    }

    @Override
    public ActivationQuantization activation(String layer, Map<String, RawTensor> tensors) {
        if (activation != null) {
            return activation;
        }
        Float scale = Quantization.scalar(layer + ".input_scale", tensors);
        if (scale == null) {
            throw new CheckpointException("input activations are static, but %s has no input_scale".formatted(layer));
        }
        return new ActivationQuantization.Static(scale);
    }
}
