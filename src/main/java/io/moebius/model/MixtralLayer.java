package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Experts;
import io.moebius.backend.Matrix;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.ModelConfig;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** The weights of one decoder layer, by canonical names. */
record MixtralLayer(
        Matrix inputNorm,
        Matrix query,
        Matrix key,
        Matrix value,
        Matrix output,
        Matrix expertsNorm,
        Matrix router,
        Experts experts) {

    static MixtralLayer load(Checkpoint checkpoint, Backend backend, int layer) {
        ModelConfig config = checkpoint.config();
        int hidden = config.hidden();
        int queryWidth = config.heads() * config.headDim();
        int keyWidth = config.kvHeads() * config.headDim();
        String prefix = "model.layers." + layer + ".";
        String attention = prefix + "self_attn.";
        String mixture = prefix + "mlp.";
        return new MixtralLayer(
                backend.load(checkpoint.tensor(prefix + "input_layernorm.weight", 1, hidden)),
                backend.load(checkpoint.linear(attention + "q_proj", queryWidth, hidden)),
                backend.load(checkpoint.linear(attention + "k_proj", keyWidth, hidden)),
                backend.load(checkpoint.linear(attention + "v_proj", keyWidth, hidden)),
                backend.load(checkpoint.linear(attention + "o_proj", hidden, queryWidth)),
                backend.load(checkpoint.tensor(prefix + "post_attention_layernorm.weight", 1, hidden)),
                backend.load(checkpoint.linear(mixture + "gate", config.experts(), hidden)),
                new Experts(
                        each(config, e -> backend.load(checkpoint.linear(expert(mixture, e, "gate_proj"), config.ffn(), hidden))),
                        each(config, e -> backend.load(checkpoint.linear(expert(mixture, e, "up_proj"), config.ffn(), hidden))),
                        each(config, e -> backend.load(checkpoint.linear(expert(mixture, e, "down_proj"), hidden, config.ffn())))));
    }

    private static String expert(String mixture, int expert, String matrix) {
        return mixture + "experts." + expert + "." + matrix;
    }

    private static List<Matrix> each(ModelConfig config, IntFunction<Matrix> load) {
        return IntStream.range(0, config.experts()).mapToObj(load).toList();
    }
}
