package io.moebius.checkpoint;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * One name for what the tools name differently: block_sparse_moe is mlp; w1, w3 and w2 of experts are gate_proj, up_proj and
 * down_proj; in_scale, act_scale and activation_scale are input_scale; weight_scale_inv is weight_scale; fused expert tensors are split.
 */
public final class TensorNames {

    private static final Map<String, String> SUFFIXES = Map.of(
            ".in_scale", ".input_scale", ".act_scale", ".input_scale", ".activation_scale", ".input_scale", ".weight_scale_inv", ".weight_scale");
    private static final Pattern EXPERT = Pattern.compile("(\\.experts\\.(?:\\d+|\\*)\\.)w([123])(?=\\.|$)");

    private TensorNames() {}

    public static String canonical(String name) {
        String renamed = name.replace("block_sparse_moe", "mlp");
        if (renamed.contains(".experts.")) {
            renamed = EXPERT.matcher(renamed).replaceAll(match -> match.group(1) + switch (match.group(2)) {
                case "1" -> "gate_proj";
                case "2" -> "down_proj";
                default -> "up_proj";
            });
        }
        int dot = renamed.lastIndexOf('.');
        String suffix = dot < 0 ? "" : renamed.substring(dot);
        return SUFFIXES.containsKey(suffix) ? renamed.substring(0, dot) + SUFFIXES.get(suffix) : renamed;
    }

    /** The tensors by canonical name; each keeps its own for messages. */
    static Map<String, RawTensor> canonical(Map<String, RawTensor> tensors) {
        Map<String, RawTensor> canonical = new HashMap<>();
        tensors.forEach((name, tensor) -> {
            if (!FusedExperts.split(canonical(name), tensor, canonical)) {
                put(canonical, canonical(name), tensor);
            }
        });
        return canonical;
    }

    static void put(Map<String, RawTensor> canonical, String name, RawTensor tensor) {
        RawTensor other = canonical.put(name, tensor);
        if (other != null) {
            throw new CheckpointException("tensors %s and %s are two names of the same thing; one must go"
                    .formatted(other.name(), tensor.name()));
        }
    }
}
