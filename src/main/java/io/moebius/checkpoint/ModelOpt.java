package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.backend.ActivationQuantization;

/**
 * NVIDIA ModelOpt, from hf_quant_config.json or quant_method "modelopt": one weight_scale and input_scale per tensor, or a
 * weight_scale per row with inputs scaled per token.
 */
final class ModelOpt {

    private ModelOpt() {}

    static Fp8 read(ConfigFields config) {
        ConfigFields quantization = config.absent("quantization") ? config : config.object("quantization");
        String algorithm = quantization.text("quant_algo", "none");
        ActivationQuantization inputs = switch (algorithm) {
            case "FP8" -> null;
            case "FP8_PER_CHANNEL_PER_TOKEN" -> new ActivationQuantization.PerToken();
            default -> throw quantization.wrong("quant_algo", "\"FP8\" and \"FP8_PER_CHANNEL_PER_TOKEN\"");
        };
        return Fp8.of("ModelOpt FP8", inputs, kvCache(quantization), LayerPatterns.read(
                quantization, quantization.absent("exclude_modules") ? "ignore" : "exclude_modules"));
    }

    private static boolean kvCache(ConfigFields quantization) {
        JsonNode scheme = quantization.json().path("kv_cache_scheme");
        return quantization.text("kv_cache_quant_algo", "").equals("FP8")
                || scheme.path("num_bits").asInt() == 8 && scheme.path("type").asText().equals("float");
    }
}
