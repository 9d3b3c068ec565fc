package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.backend.ActivationQuantization;

/** AMD Quark's quant_method "quark": e4m3 weights per tensor or channel; inputs static or per token; excludes by wildcard. */
final class Quark {

    private static final String CONFIG = "global_quant_config";

    private Quark() {}

    static Fp8 read(ConfigFields quantization) {
        JsonNode config = quantization.json().path(CONFIG);
        JsonNode weight = config.path("weight");
        String scheme = weight.path("qscheme").asText();
        if (!weight.path("dtype").asText().equals("fp8_e4m3") || !scheme.equals("per_tensor") && !scheme.equals("per_channel")) {
            throw quantization.wrong(CONFIG, "fp8_e4m3 weights, per_tensor or per_channel");
        }
        boolean kvCache = !quantization.json().path("kv_cache_quant_config").isEmpty()
                || quantization.json().path("export").path("kv_cache_group").size() > 0;
        return Fp8.of("Quark FP8", inputs(quantization, config.path("input_tensors")), kvCache,
                LayerPatterns.read(quantization, "exclude"));
    }

    private static ActivationQuantization inputs(ConfigFields quantization, JsonNode inputs) {
        if (inputs.isMissingNode() || inputs.isNull()) {
            return new ActivationQuantization.None();
        }
        if (!inputs.path("dtype").asText().equals("fp8_e4m3")) {
            throw quantization.wrong(CONFIG, "fp8_e4m3 input_tensors, or none");
        }
        return inputs.path("is_dynamic").asBoolean() ? new ActivationQuantization.PerToken() : null;
    }
}
