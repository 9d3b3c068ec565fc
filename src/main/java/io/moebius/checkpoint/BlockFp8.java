package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.Scales;
import java.util.Arrays;
import java.util.Map;

/**
 * DeepSeek's blocks: weight_scale_inv [ceil(rows / blockRows), ceil(columns / blockColumns)], which multiplies in spite of its
 * name; inputs are scaled per token and group of blockColumns channels.
 */
record BlockFp8(int blockRows, int blockColumns) implements Quantization {

    static BlockFp8 read(ConfigFields quantization, boolean isStatic) {
        JsonNode size = quantization.json().path("weight_block_size");
        if (isStatic) {
            throw quantization.wrong("activation_scheme", "\"dynamic\" where weight_block_size is given");
        }
        if (size.size() != 2 || !size.path(0).isInt() || !size.path(1).isInt()
                || size.path(0).intValue() < 1 || size.path(1).intValue() < 1) {
            throw quantization.wrong("weight_block_size", "two whole numbers over 0");
        }
        return new BlockFp8(size.path(0).intValue(), size.path(1).intValue());
    }

    @Override
    public String description() {
        return "FP8 blocks of %d x %d".formatted(blockRows, blockColumns);
    }

    @Override
    public String storedType() {
        return "F8_E4M3";
    }

    @Override
    public Scales scales(String layer, int rows, int columns, Map<String, RawTensor> tensors) {
        String name = layer + ".weight_scale_inv";
        RawTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException("the FP8 tensor %s.weight has no scale; expected %s".formatted(layer, name));
        }
        long blocksDown = Math.ceilDiv(rows, blockRows);
        long blocksAcross = Math.ceilDiv(columns, blockColumns);
        if (!tensor.hasShape(blocksDown, blocksAcross)) {
            throw new CheckpointException("tensor %s has shape %s; expected [%d, %d]"
                    .formatted(name, Arrays.toString(tensor.shape()), blocksDown, blocksAcross));
        }
        return new Scales(Quantization.checked(name, tensor.floats()), blockRows, blockColumns);
    }

    @Override
    public ActivationQuantization activation(String layer, Map<String, RawTensor> tensors) {
        return new ActivationQuantization.PerGroup(blockColumns);
    }
}
