package io.moebius.checkpoint;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.Map;
import java.util.Set;

/** bf16, f16 or f32 throughout. */
record Unquantized() implements Quantization {

    @Override
    public String description() {
        return "unquantised";
    }

    @Override
    public Set<String> storedTypes() {
        return Set.of();
    }

    @Override
    public Scales scales(String layer, int rows, int columns, Map<String, RawTensor> tensors) {
        throw Quantization.missing(layer);
    }

    @Override
    public ActivationQuantization activation(String layer, Map<String, RawTensor> tensors) {
        return new ActivationQuantization.None();
    }

    @Override
    public boolean kvCache() {
        return false;
    }

    @Override
    public LayerPatterns ignored() {
        return LayerPatterns.NONE;
    }
}
