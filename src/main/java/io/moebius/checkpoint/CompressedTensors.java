package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.StreamSupport;

/**
 * compressed-tensors "float-quantized" (llm-compressor): weight_scale of shape [1], [rows, 1] or one per block; inputs are
 * unquantised, static with input_scale, or scaled per token or group. Each of the config_groups has its own.
 */
record CompressedTensors(List<Group> groups, boolean kvCache, LayerPatterns ignored) implements Quantization {

    private static final String GROUPS = "config_groups";
    private static final String ALLOWED =
            "groups of 8-bit float weights in the format float-quantized; else take the unquantised model and give --quantization 8bit or 4bit";

    /**
     * Layers that were quantised alike.
     *
     * @param label  for messages
     * @param names  layers that the group's targets name, or match
     * @param linear whether it targets all others
     * @param scheme null for weights that cannot be loaded
     */
    record Group(String label, LayerPatterns names, boolean linear, Fp8 scheme) {

        static Group read(ConfigFields quantization, String name, JsonNode json) {
            JsonNode weights = json.path("weights");
            String label = "%s: %s %s (%d-bit %s weights)".formatted(
                    quantization.file(), GROUPS, new TextNode(name), weights.path("num_bits").asInt(), weights.path("type"));
            ConfigFields group = new ConfigFields(json, label);
            boolean loaded = group.text("format", quantization.text("format", "")).equals("float-quantized") && isFloat8(weights);
            boolean linear = StreamSupport.stream(json.path("targets").spliterator(), false).anyMatch(new TextNode("Linear")::equals);
            return new Group(label, LayerPatterns.read(group, "targets"), linear, loaded ? scheme(group, weights) : null);
        }

        private static Fp8 scheme(ConfigFields group, JsonNode weights) {
            JsonNode block = weights.path("block_structure");
            boolean blocks = weights.path("strategy").asText().equals("block");
            if (blocks && (block.size() != 2 || block.path(0).asInt() < 1 || block.path(1).asInt() < 1)) {
                throw group.wrong("weights", "a block_structure of two whole numbers over 0");
            }
            return new Fp8("compressed-tensors FP8", Fp8.E4M3, blocks ? block.path(0).asInt() : 0, blocks ? block.path(1).asInt() : 0,
                    inputs(group), false, LayerPatterns.NONE);
        }

        private static ActivationQuantization inputs(ConfigFields group) {
            JsonNode inputs = group.json().path("input_activations");
            if (group.absent("input_activations")) {
                return new ActivationQuantization.None();
            }
            if (!inputs.path("dynamic").asBoolean()) {
                return null;
            }
            return switch (inputs.path("strategy").asText()) {
                case "token" -> new ActivationQuantization.PerToken();
                case "group" -> new ActivationQuantization.PerGroup(Math.max(1, inputs.path("group_size").asInt()));
                default -> throw group.wrong("input_activations", "dynamic ones per token or group");
            };
        }
    }

    /** @throws CheckpointException if a group that cannot be loaded has layers in the model, or a quantised layer no group */
    static CompressedTensors read(ConfigFields quantization, Map<String, RawTensor> tensors) {
        List<Group> groups = quantization.json().path(GROUPS).properties().stream()
                .map(group -> Group.read(quantization, group.getKey(), group.getValue()))
                .toList();
        if (groups.stream().map(Group::scheme).allMatch(Objects::isNull)) {
            throw quantization.wrong(GROUPS, ALLOWED);
        }
        CompressedTensors read = new CompressedTensors(
                groups, isFloat8(quantization.json().path("kv_cache_scheme")), LayerPatterns.read(quantization, "ignore"));
        String scale = ".weight_scale";
        tensors.keySet().stream()
                .filter(name -> name.endsWith(scale))
                .sorted()
                .forEach(name -> read.scheme(name.substring(0, name.length() - scale.length()), tensors));
        return read;
    }

    private static boolean isFloat8(JsonNode scheme) {
        return scheme.path("num_bits").asInt() == 8 && scheme.path("type").asText().equals("float");
    }

    @Override
    public String description() {
        return "compressed-tensors FP8";
    }

    @Override
    public Set<String> storedTypes() {
        return Fp8.E4M3;
    }

    @Override
    public Scales scales(String layer, int rows, int columns, Map<String, RawTensor> tensors) {
        return scheme(layer, tensors).scales(layer, rows, columns, tensors);
    }

    @Override
    public ActivationQuantization activation(String layer, Map<String, RawTensor> tensors) {
        return scheme(layer, tensors).activation(layer, tensors);
    }

    private Fp8 scheme(String layer, Map<String, RawTensor> tensors) {
        Group group = group(layer, tensors);
        if (group.scheme == null) {
            throw new CheckpointException("%s is that of %s; allowed: %s".formatted(group.label, layer, ALLOWED));
        }
        return group.scheme;
    }

    /** By name, as the file has it or as we have it, before by class; a single group is that of all layers. */
    private Group group(String layer, Map<String, RawTensor> tensors) {
        if (groups.size() == 1) {
            return groups.getFirst();
        }
        RawTensor scale = tensors.get(layer + ".weight_scale");
        String stored = scale == null ? layer : scale.name().substring(0, Math.max(0, scale.name().lastIndexOf('.')));
        return groups.stream()
                .filter(group -> group.names.match(layer) || group.names.match(stored))
                .findFirst()
                .or(() -> groups.stream().filter(Group::linear).findFirst())
                .orElseThrow(() -> new CheckpointException(
                        "config.json: no one of the %s targets the quantised layer %s; one must".formatted(GROUPS, stored)));
    }
}
