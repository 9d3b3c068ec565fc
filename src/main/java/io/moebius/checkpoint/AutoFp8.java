package io.moebius.checkpoint;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.Map;

/**
 * AutoFP8 (quant_method "fp8"): one weight_scale per tensor; static checkpoints have one input_scale per layer, called
 * act_scale in early ones; dynamic ones scale each token.
 */
record AutoFp8(boolean isStatic) implements Quantization {

    @Override
    public String description() {
        return isStatic ? "AutoFP8 static" : "AutoFP8 dynamic";
    }

    @Override
    public String storedType() {
        return "F8_E4M3";
    }

    @Override
    public Scales scales(String layer, int rows, int columns, Map<String, RawTensor> tensors) {
        Float scale = Quantization.scalar(layer + ".weight_scale", tensors);
        if (scale == null) {
            throw Quantization.missing(layer);
        }
        return Scales.perTensor(scale, rows, columns);
    }

    @Override
    public ActivationQuantization activation(String layer, Map<String, RawTensor> tensors) {
        if (!isStatic) {
            return new ActivationQuantization.PerToken();
        }
        Float scale = Quantization.scalar(layer + ".input_scale", tensors);
        if (scale == null) {
            scale = Quantization.scalar(layer + ".act_scale", tensors);
        }
        if (scale == null) {
            throw new CheckpointException(
                    "activation_scheme is static, but %s has neither input_scale nor act_scale".formatted(layer));
        }
        return new ActivationQuantization.Static(scale);
    }
}
