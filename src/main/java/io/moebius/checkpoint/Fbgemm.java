package io.moebius.checkpoint;

import io.moebius.backend.ActivationQuantization;

/**
 * Meta's quant_method "fbgemm_fp8": weight_scale per row [rows, 1]; inputs scaled per token, by at most activation_scale_ub / 448.
 */
final class Fbgemm {

    private Fbgemm() {}

    static Fp8 read(ConfigFields quantization) {
        double bound = quantization.positive("activation_scale_ub", Float.POSITIVE_INFINITY);
        return Fp8.of("FBGEMM FP8", new ActivationQuantization.PerToken((float) bound), false,
                LayerPatterns.read(quantization, "modules_to_not_convert"));
    }
}
