package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/** How a checkpoint's linear layers were quantised: which tensors hold the scales, and what becomes of the inputs. */
sealed interface Quantization permits Unquantized, Fp8, CompressedTensors {

    /** For people. */
    String description();

    /** The safetensors types under which the e4m3 bytes of a quantised layer may stand. */
    Set<String> storedTypes();

    /** @param tensors by canonical name */
    Scales scales(String layer, int rows, int columns, Map<String, RawTensor> tensors);

    ActivationQuantization activation(String layer, Map<String, RawTensor> tensors);

    boolean kvCache();

    /** Layers that whoever quantised the checkpoint left alone on purpose. */
    LayerPatterns ignored();

    /**
     * Reads quantization_config (compression_config in the first files of llm-compressor), ModelOpt's own file, or FriendliAI's
     * use_fp8_e4m3 where there is neither.
     *
     * @param modelOpt hf_quant_config.json, null where there is none
     * @param tensors  by canonical name
     */
    static Quantization read(JsonNode json, JsonNode modelOpt, Map<String, RawTensor> tensors) {
        ConfigFields config = new ConfigFields(json);
        boolean friendli = config.flag("use_fp8_e4m3");
        String key = config.absent("quantization_config") ? "compression_config" : "quantization_config";
        if (config.absent(key)) {
            if (modelOpt != null) {
                return ModelOpt.read(new ConfigFields(modelOpt, "hf_quant_config.json"));
            }
            return friendli ? Friendli.first() : new Unquantized();
        }
        ConfigFields quantization = config.object(key);
        String method = quantization.text("quant_method", "none");
        return switch (method) {
            case "fp8" -> friendli ? Friendli.second(AutoFp8.read(quantization)) : AutoFp8.read(quantization);
            case "compressed-tensors" -> CompressedTensors.read(quantization, tensors);
            case "modelopt" -> ModelOpt.read(quantization);
            case "fbgemm_fp8" -> Fbgemm.read(quantization);
            case "quark" -> Quark.read(quantization);
            default -> throw new CheckpointException(
                    "config.json: quant_method is \"%s\"; loaded are fp8, compressed-tensors, modelopt, fbgemm_fp8 and quark; take the unquantised model and give --quantization 8bit or 4bit"
                            .formatted(method));
        };
    }

    /** The only value of a scale tensor of shape [] or [1], or null where there is no such tensor. */
    static Float scalar(String name, Map<String, RawTensor> tensors) {
        RawTensor tensor = tensors.get(name);
        if (tensor == null) {
            return null;
        }
        if (tensor.elements() != 1) {
            throw new CheckpointException("tensor %s has shape %s; allowed: [] and [1]"
                    .formatted(tensor.name(), Arrays.toString(tensor.shape())));
        }
        return checked(tensor)[0];
    }

    static float[] checked(RawTensor tensor) {
        float[] scales = tensor.floats();
        for (float scale : scales) {
            if (!(scale > 0) || Float.isInfinite(scale)) {
                throw new CheckpointException(
                        "scale %s holds %s; allowed: finite numbers over 0".formatted(tensor.name(), scale));
            }
        }
        return scales;
    }

    static CheckpointException missing(String name) {
        return new CheckpointException("the FP8 tensor %s.weight has no scale; expected %s.weight_scale".formatted(name, name));
    }
}
