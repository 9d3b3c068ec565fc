package io.moebius.checkpoint;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The architectures that are computed, and where their configurations differ. */
enum Architecture {
    MIXTRAL("MixtralForCausalLM", 1e6, "num_local_experts", "intermediate_size"),
    LLAMA("LlamaForCausalLM", 1e4, null, "intermediate_size"),
    MISTRAL("MistralForCausalLM", 1e4, null, "intermediate_size"),
    QWEN2("Qwen2ForCausalLM", 1e4, null, "intermediate_size"),
    QWEN3("Qwen3ForCausalLM", 1e4, null, "intermediate_size"),
    QWEN3_MOE("Qwen3MoeForCausalLM", 1e4, "num_experts", "moe_intermediate_size");

    private final String className;
    private final double ropeTheta;
    private final String expertsKey;
    private final String ffnKey;

    Architecture(String className, double ropeTheta, String expertsKey, String ffnKey) {
        this.className = className;
        this.ropeTheta = ropeTheta;
        this.expertsKey = expertsKey;
        this.ffnKey = ffnKey;
    }

    static Architecture read(ConfigFields config) {
        String name = config.json().path("architectures").path(0).asText("");
        return Arrays.stream(values())
                .filter(known -> known.className.equals(name))
                .findFirst()
                .orElseThrow(() -> config.wrong("architectures", Arrays.stream(values())
                        .map(known -> "[\"" + known.className + "\"]")
                        .collect(Collectors.joining(", "))));
    }

    String className() {
        return className;
    }

    /** What theta is where the configuration does not say. */
    double ropeTheta() {
        return ropeTheta;
    }

    int experts(ConfigFields config) {
        return expertsKey == null ? 0 : config.integer(expertsKey, 1, 1 << 12);
    }

    /** Layers without experts: all, or those that Qwen3-MoE's configuration says. */
    Set<Integer> denseLayers(ConfigFields config, int layers) {
        boolean mixed = this == QWEN3_MOE;
        Set<Integer> listed = mixed ? config.integers("mlp_only_layers", 0, layers - 1) : Set.of();
        int step = mixed ? config.integer("decoder_sparse_step", 1, 1 << 20, 1) : 1;
        return IntStream.range(0, layers)
                .filter(layer -> expertsKey == null || listed.contains(layer) || (layer + 1) % step != 0)
                .boxed()
                .collect(Collectors.toUnmodifiableSet());
    }

    int ffn(ConfigFields config) {
        return config.integer(ffnKey, 1, 1 << 20);
    }

    /** Tokens, 0 for none. Qwen's applies only where it says so. */
    int slidingWindow(ConfigFields config, int maxPositions) {
        if (this == QWEN2 || this == QWEN3 || this == QWEN3_MOE) {
            if (config.flag("use_sliding_window")) {
                throw config.wrong("use_sliding_window", "false; windows in some layers only are not supported yet");
            }
            return 0;
        }
        int window = this == LLAMA ? maxPositions : config.integer("sliding_window", 1, Integer.MAX_VALUE, maxPositions);
        return window < maxPositions ? window : 0;
    }

    /** Qwen2's configuration does not say it. */
    boolean attentionBias(ConfigFields config) {
        return this == QWEN2 || config.flag("attention_bias");
    }

    void refuseWhatIsNotComputed(ConfigFields config) {
        if (!config.text("hidden_act", "silu").equals("silu")) {
            throw config.wrong("hidden_act", "\"silu\"");
        }
        if (config.flag("mlp_bias")) {
            throw config.wrong("mlp_bias", "false");
        }
        if (this == QWEN3_MOE && !config.flag("norm_topk_prob")) {
            throw config.wrong("norm_topk_prob", "true");
        }
    }
}
