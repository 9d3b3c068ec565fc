package io.moebius.bench;

import java.util.Map;

/** How the linear layers of a generated checkpoint are stored. */
public enum Layout {
    /** AutoFP8 with static scales: F8_E4M3, weight_scale and input_scale per layer; router and lm_head in bfloat16. */
    AUTOFP8("F8_E4M3", "input_scale", Map.of("quantization_config", Map.of("quant_method", "fp8", "activation_scheme", "static"))),
    /** FriendliAI's: e4m3 bytes under the type I8, weight_scale and in_scale, the router quantised too. */
    FRIENDLI("I8", "in_scale", Map.of("use_fp8_e4m3", true)),
    /** Everything in bfloat16. */
    BF16("BF16", "", Map.of());

    private final String type;
    private final String inputScale;
    private final Map<String, Object> configuration;

    Layout(String type, String inputScale, Map<String, Object> configuration) {
        this.type = type;
        this.inputScale = inputScale;
        this.configuration = configuration;
    }

    /** The safetensors type of a linear layer. */
    String type() {
        return type;
    }

    String inputScale() {
        return inputScale;
    }

    boolean quantised() {
        return this != BF16;
    }

    boolean quantisesRouter() {
        return this == FRIENDLI;
    }

    /** What config.json says of it. */
    Map<String, Object> configuration() {
        return configuration;
    }
}
