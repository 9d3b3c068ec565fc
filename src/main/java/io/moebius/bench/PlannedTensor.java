package io.moebius.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * A tensor to be written.
 *
 * @param type  of safetensors
 * @param shape rows and columns; empty for a scalar
 * @param value what it is filled with
 */
record PlannedTensor(String name, String type, List<Integer> shape, Value value) {

    sealed interface Value {
        /** Independent draws from a normal distribution, before any weight_scale. */
        record Normal(double deviation) implements Value {}

        record Constant(float value) implements Value {}
    }

    /** Deviation of e4m3 codes: the largest of some million draws stays below 448. */
    private static final double CODE_DEVIATION = 64;
    private static final float ACTIVATION_LIMIT = 8;

    long elements() {
        return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
    }

    long bytes() {
        return elements() * switch (type) {
            case "F32" -> 4;
            case "BF16" -> 2;
            default -> 1;
        };
    }

    /**
     * Every tensor of a MixtralForCausalLM. A layer's deviation is 1 / sqrt(inputs), so that activations keep their size;
     * what is added to the residual is divided by sqrt(2 layers), so that depth does not swell it.
     */
    static List<PlannedTensor> of(Shape shape, Layout layout) {
        List<PlannedTensor> all = new ArrayList<>();
        double residual = 1 / Math.sqrt(2.0 * shape.layers());
        all.add(plain("model.embed_tokens.weight", 1, shape.vocabulary(), shape.hidden()));
        for (int layer = 0; layer < shape.layers(); layer++) {
            String prefix = "model.layers." + layer + ".";
            String attention = prefix + "self_attn.";
            String mixture = prefix + "block_sparse_moe.";
            all.add(ones(prefix + "input_layernorm.weight", shape.hidden()));
            linear(all, layout.quantised(), layout, attention + "q_proj", 1, shape.hidden(), shape.hidden());
            linear(all, layout.quantised(), layout, attention + "k_proj", 1, shape.kvWidth(), shape.hidden());
            linear(all, layout.quantised(), layout, attention + "v_proj", 1, shape.kvWidth(), shape.hidden());
            linear(all, layout.quantised(), layout, attention + "o_proj", residual, shape.hidden(), shape.hidden());
            all.add(ones(prefix + "post_attention_layernorm.weight", shape.hidden()));
            linear(all, layout.quantisesRouter(), layout, mixture + "gate", 1, shape.experts(), shape.hidden());
            for (int e = 0; e < shape.experts(); e++) {
                String expert = mixture + "experts." + e + ".";
                linear(all, layout.quantised(), layout, expert + "w1", 1, shape.ffn(), shape.hidden());
                linear(all, layout.quantised(), layout, expert + "w2", residual, shape.hidden(), shape.ffn());
                linear(all, layout.quantised(), layout, expert + "w3", 1, shape.ffn(), shape.hidden());
            }
        }
        all.add(ones("model.norm.weight", shape.hidden()));
        all.add(plain("lm_head.weight", 2 / Math.sqrt(shape.hidden()), shape.vocabulary(), shape.hidden()));
        return all;
    }

    private static void linear(
            List<PlannedTensor> all, boolean quantised, Layout layout, String name, double gain, int rows, int columns) {
        double deviation = gain / Math.sqrt(columns);
        if (!quantised) {
            all.add(plain(name + ".weight", deviation, rows, columns));
            return;
        }
        all.add(new PlannedTensor(name + ".weight", layout.type(), List.of(rows, columns), new Value.Normal(CODE_DEVIATION)));
        all.add(scalar(name + ".weight_scale", (float) (deviation / CODE_DEVIATION)));
        all.add(scalar(name + "." + layout.inputScale(), ACTIVATION_LIMIT / 448));
    }

    private static PlannedTensor plain(String name, double deviation, int rows, int columns) {
        return new PlannedTensor(name, "BF16", List.of(rows, columns), new Value.Normal(deviation));
    }

    private static PlannedTensor ones(String name, int columns) {
        return new PlannedTensor(name, "BF16", List.of(columns), new Value.Constant(1));
    }

    private static PlannedTensor scalar(String name, float value) {
        return new PlannedTensor(name, "F32", List.of(), new Value.Constant(value));
    }
}
