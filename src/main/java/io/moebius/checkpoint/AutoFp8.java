package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.backend.ActivationQuantization;

/**
 * quant_method "fp8": AutoFP8 and early Quark with one weight_scale per tensor, inputs by input_scale (act_scale in early files)
 * or scaled per token; DeepSeek's blocks of weight_block_size, inputs scaled per token and group of as many channels.
 */
final class AutoFp8 {

    private AutoFp8() {}

    static Fp8 read(ConfigFields quantization) {
        String scheme = quantization.text("activation_scheme", "dynamic");
        if (!scheme.equals("static") && !scheme.equals("dynamic")) {
            throw quantization.wrong("activation_scheme", "\"static\" and \"dynamic\"");
        }
        boolean isStatic = scheme.equals("static");
        boolean kvCache = !quantization.absent("kv_cache_scheme");
        LayerPatterns ignored = LayerPatterns.read(
                quantization, quantization.absent("ignored_layers") ? "modules_to_not_convert" : "ignored_layers");
        if (quantization.absent("weight_block_size")) {
            ActivationQuantization inputs = isStatic ? null : new ActivationQuantization.PerToken();
            return Fp8.of("AutoFP8 " + scheme, inputs, kvCache, ignored);
        }
        JsonNode size = quantization.json().path("weight_block_size");
        if (isStatic) {
            throw quantization.wrong("activation_scheme", "\"dynamic\" where weight_block_size is given");
        }
        if (size.size() != 2 || !size.path(0).isInt() || !size.path(1).isInt()
                || size.path(0).intValue() < 1 || size.path(1).intValue() < 1) {
            throw quantization.wrong("weight_block_size", "two whole numbers over 0");
        }
        int rows = size.path(0).intValue();
        int columns = size.path(1).intValue();
        return new Fp8("FP8 blocks of %d x %d".formatted(rows, columns), Fp8.E4M3, rows, columns,
                new ActivationQuantization.PerGroup(columns), kvCache, ignored);
    }
}
