package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Rope;
import io.moebius.backend.Tensor;
import io.moebius.checkpoint.ModelConfig;

/**
 * Pre-norm causal attention with grouped queries and rotary positions.
 *
 * @param biases    null for none
 * @param headNorms null for none
 */
record Attention(Matrix norm, Matrix query, Matrix key, Matrix value, Matrix output, Biases biases, HeadNorms headNorms) {

    /** @param output null for none */
    record Biases(Matrix query, Matrix key, Matrix value, Matrix output) {

        static Biases load(LayerWeights weights) {
            ModelConfig config = weights.config();
            return new Biases(
                    weights.vector("self_attn.q_proj.bias", config.queryWidth()),
                    weights.vector("self_attn.k_proj.bias", config.keyWidth()),
                    weights.vector("self_attn.v_proj.bias", config.keyWidth()),
                    weights.vectorOrNull("self_attn.o_proj.bias", config.hidden()));
        }
    }

    /** RMSNorm weights [headDim] that all heads share. */
    record HeadNorms(Matrix query, Matrix key) {}

    static Attention load(LayerWeights weights) {
        ModelConfig config = weights.config();
        int hidden = config.hidden();
        return new Attention(
                weights.vector("input_layernorm.weight", hidden),
                weights.linear("self_attn.q_proj", config.queryWidth(), hidden),
                weights.linear("self_attn.k_proj", config.keyWidth(), hidden),
                weights.linear("self_attn.v_proj", config.keyWidth(), hidden),
                weights.linear("self_attn.o_proj", hidden, config.queryWidth()),
                config.attentionBias() ? Biases.load(weights) : null,
                null);
    }

    Attention withHeadNorms(LayerWeights weights) {
        int headDim = weights.config().headDim();
        return new Attention(norm, query, key, value, output, biases, new HeadNorms(
                weights.vector("self_attn.q_norm.weight", headDim), weights.vector("self_attn.k_norm.weight", headDim)));
    }

    void forward(Backend backend, ModelConfig config, Rope rope, Batch batch, KvCache cache, int layer, Workspace.Step w) {
        backend.rmsNorm(w.hidden(), norm, config.rmsNormEpsilon(), w.normed());
        backend.project(w.normed(), query, w.query());
        backend.project(w.normed(), key, w.key());
        backend.project(w.normed(), value, w.value());
        if (biases != null) {
            backend.addBias(w.query(), biases.query);
            backend.addBias(w.key(), biases.key);
            backend.addBias(w.value(), biases.value);
        }
        if (headNorms != null) {
            Tensor queryHeads = w.query().reshape(batch.size() * config.heads(), config.headDim());
            Tensor keyHeads = w.key().reshape(batch.size() * config.kvHeads(), config.headDim());
            backend.rmsNorm(queryHeads, headNorms.query, config.rmsNormEpsilon(), queryHeads);
            backend.rmsNorm(keyHeads, headNorms.key, config.rmsNormEpsilon(), keyHeads);
        }
        backend.ropeAndStore(batch, rope, w.query(), w.key(), w.value(), cache, layer);
        backend.attend(batch, w.query(), cache, layer, w.attended());
        backend.projectAdd(w.attended(), output, w.hidden());
        if (biases != null && biases.output != null) {
            backend.addBias(w.hidden(), biases.output);
        }
    }
}
