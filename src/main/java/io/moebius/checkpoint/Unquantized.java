package io.moebius.checkpoint;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.Map;

/** bf16, f16 or f32 throughout. */
record Unquantized() implements Quantization {

    @Override
    public String description() {
        return "unquantised";
    }

    @Override
    public String storedType() {
        return "";
    }

    @Override
    public Scales scales(String layer, int rows, int columns, Map<String, RawTensor> tensors) {
        throw Quantization.missing(layer);
    }

    @Override
    public ActivationQuantization activation(String layer, Map<String, RawTensor> tensors) {
        return new ActivationQuantization.None();
    }
}
