package io.moebius.checkpoint;

import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;

/**
 * A dialect of e4m3 checkpoints, by canonical names: layer.weight_scale, which multiplies, of shape [] or [1] for the matrix,
 * [rows] or [rows, 1], or one per block; static inputs by layer.input_scale.
 *
 * @param description for people
 * @param storedTypes safetensors types under which e4m3 bytes may stand
 * @param blockRows   0 where weights are not quantised in blocks
 * @param inputs      null: static, by each layer's input_scale
 * @param kvCache     whether keys and values are meant to be stored in e4m3 too
 * @param ignored     layers that were left in 16 bits
 */
record Fp8(
        String description,
        Set<String> storedTypes,
        int blockRows,
        int blockColumns,
        ActivationQuantization inputs,
        boolean kvCache,
        LayerPatterns ignored)
        implements Quantization {

    static final Set<String> E4M3 = Set.of("F8_E4M3");

    /** Without blocks. */
    static Fp8 of(String description, ActivationQuantization inputs, boolean kvCache, LayerPatterns ignored) {
        return new Fp8(description, E4M3, 0, 0, inputs, kvCache, ignored);
    }

    @Override
    public Scales scales(String layer, int rows, int columns, Map<String, RawTensor> tensors) {
        RawTensor tensor = tensors.get(layer + ".weight_scale");
        if (tensor == null) {
            throw Quantization.missing(layer);
        }
        float[] values = Quantization.checked(tensor);
        if (blockRows > 0 && tensor.hasShape(Math.ceilDiv(rows, blockRows), Math.ceilDiv(columns, blockColumns))) {
            return new Scales(values, blockRows, blockColumns);
        }
        if (values.length == 1) {
            return Scales.perTensor(values[0], rows, columns);
        }
        if (tensor.hasShape(rows, 1) || tensor.hasShape(rows)) {
            return Scales.perRow(values, columns);
        }
        throw new CheckpointException("tensor %s has shape %s; allowed: [], [1], [%d, 1]%s".formatted(
                tensor.name(), Arrays.toString(tensor.shape()), rows, blockRows == 0 ? "" : ", or one scale per block of %d x %d, [%d, %d]"
                        .formatted(blockRows, blockColumns, Math.ceilDiv(rows, blockRows), Math.ceilDiv(columns, blockColumns))));
    }

    @Override
    public ActivationQuantization activation(String layer, Map<String, RawTensor> tensors) {
        if (inputs != null) {
            return inputs;
        }
        Float scale = Quantization.scalar(layer + ".input_scale", tensors);
        if (scale == null) {
            throw new CheckpointException(
                    "inputs are static, but the FP8 layer %s has no input_scale, act_scale or in_scale".formatted(layer));
        }
        return new ActivationQuantization.Static(scale);
    }
}
