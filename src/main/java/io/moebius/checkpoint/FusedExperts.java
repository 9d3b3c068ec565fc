package io.moebius.checkpoint;

import java.util.Arrays;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tensors that hold all experts of a layer, as newer tools write them: experts.gate_up_proj [experts, 2 * ffn, hidden], the
 * gates first, and experts.down_proj [experts, hidden, ffn], with their scales per layer, expert, row or block.
 */
final class FusedExperts {

    private static final Pattern NAME = Pattern.compile(
            "(.*\\.experts\\.)(gate_up_proj|down_proj)(\\.weight|)(|[._](?:weight_)?scale(?:_inv)?|[._](?:input|in|act|activation)_scale)");
    private static final int MOST_EXPERTS = 1 << 12;

    private FusedExperts() {}

    /** Puts the parts of a fused tensor under the names of each expert's layers; false if this is none. */
    static boolean split(String name, RawTensor tensor, Map<String, RawTensor> tensors) {
        Matcher match = NAME.matcher(name);
        if (!match.matches()) {
            return false;
        }
        String suffix = match.group(4).isEmpty()
                ? ".weight"
                : match.group(4).matches("[._](input|in|act|activation)_scale") ? ".input_scale" : ".weight_scale";
        boolean shared = !suffix.equals(".weight") && tensor.elements() == 1;
        long experts = shared ? MOST_EXPERTS : tensor.shape().length == 0 ? 0 : tensor.shape()[0];
        if (experts < 1 || experts > MOST_EXPERTS || (suffix.equals(".weight") && tensor.shape().length != 3)) {
            throw new CheckpointException("tensor %s has shape %s; fused experts have 1 to %d x rows x columns"
                    .formatted(tensor.name(), Arrays.toString(tensor.shape()), MOST_EXPERTS));
        }
        for (int expert = 0; expert < experts; expert++) {
            RawTensor part = shared ? tensor : tensor.slice(expert);
            String prefix = match.group(1) + expert + ".";
            if (match.group(2).equals("down_proj")) {
                TensorNames.put(tensors, prefix + "down_proj" + suffix, part);
            } else {
                TensorNames.put(tensors, prefix + "gate_proj" + suffix, half(part, 0));
                TensorNames.put(tensors, prefix + "up_proj" + suffix, half(part, 1));
            }
        }
        return true;
    }

    /** The upper or lower rows; one scale serves both. */
    private static RawTensor half(RawTensor tensor, int index) {
        if (tensor.shape().length == 0 || tensor.elements() == 1) {
            return tensor;
        }
        long rows = tensor.shape()[0];
        if (rows % 2 != 0) {
            throw new CheckpointException("tensor %s has %d rows for each expert; gates and ups together are an even number"
                    .formatted(tensor.name(), rows));
        }
        return tensor.rows(index * rows / 2, rows / 2);
    }
}
