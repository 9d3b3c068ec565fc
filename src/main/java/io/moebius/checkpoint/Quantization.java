package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.Arrays;
import java.util.Map;

/** How a checkpoint's linear layers were quantised to e4m3: which tensors hold the scales, and what becomes of the inputs. */
sealed interface Quantization permits Unquantized, AutoFp8, FriendliFp8, BlockFp8, CompressedTensors {

    /** For people. */
    String description();

    /** The safetensors type under which the e4m3 bytes of a quantised layer stand. */
    String storedType();

    Scales scales(String layer, int rows, int columns, Map<String, RawTensor> tensors);

    ActivationQuantization activation(String layer, Map<String, RawTensor> tensors);

    /** Reads quantization_config, or FriendliAI's use_fp8_e4m3 where there is none. */
    static Quantization read(JsonNode json) {
        ConfigFields config = new ConfigFields(json);
        if (config.absent("quantization_config")) {
            return config.flag("use_fp8_e4m3") ? new FriendliFp8() : new Unquantized();
        }
        ConfigFields quantization = new ConfigFields(json.path("quantization_config"));
        String method = quantization.text("quant_method", "none");
        if (method.equals("compressed-tensors")) {
            return CompressedTensors.read(quantization);
        }
        if (!method.equals("fp8")) {
            throw new CheckpointException(
                    "config.json: quant_method is \"%s\"; allowed: \"fp8\" (AutoFP8, DeepSeek blocks), \"compressed-tensors\", or use_fp8_e4m3"
                            .formatted(method));
        }
        String scheme = quantization.text("activation_scheme", "dynamic");
        if (!scheme.equals("static") && !scheme.equals("dynamic")) {
            throw quantization.wrong("activation_scheme", "\"static\" and \"dynamic\"");
        }
        boolean isStatic = scheme.equals("static");
        return quantization.absent("weight_block_size") ? new AutoFp8(isStatic) : BlockFp8.read(quantization, isStatic);
    }

    /** The only value of a scale tensor of shape [] or [1], or null where there is no such tensor. */
    static Float scalar(String name, Map<String, RawTensor> tensors) {
        RawTensor tensor = tensors.get(name);
        if (tensor == null) {
            return null;
        }
        if (!tensor.hasShape() && !tensor.hasShape(1)) {
            throw new CheckpointException("tensor %s has shape %s; allowed: [] and [1]"
                    .formatted(name, Arrays.toString(tensor.shape())));
        }
        return checked(name, tensor.floats())[0];
    }

    static float[] checked(String name, float[] scales) {
        for (float scale : scales) {
            if (!(scale > 0) || Float.isInfinite(scale)) {
                throw new CheckpointException("scale %s holds %s; allowed: finite numbers over 0".formatted(name, scale));
            }
        }
        return scales;
    }

    static CheckpointException missing(String name) {
        return new CheckpointException("the FP8 tensor %s.weight has no scale; expected %s.weight_scale".formatted(name, name));
    }
}
