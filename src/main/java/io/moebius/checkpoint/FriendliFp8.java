package io.moebius.checkpoint;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.Map;

/**
 * FriendliAI's first layout ("use_fp8_e4m3": true, no quantization_config): e4m3 bytes under the type I8, weight_scale and
 * in_scale per layer, the router quantised too.
 */
record FriendliFp8() implements Quantization {

    @Override
    public String description() {
        return "FriendliAI FP8";
    }

    @Override
    public String storedType() {
        return "I8";
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
        Float scale = Quantization.scalar(layer + ".in_scale", tensors);
        if (scale == null) {
            throw new CheckpointException("the FP8 layer %s has no in_scale".formatted(layer));
        }
        return new ActivationQuantization.Static(scale);
    }
}
