package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Batch;
import io.moebius.backend.KvCache;
import io.moebius.backend.Matrix;
import io.moebius.backend.Rope;
import io.moebius.checkpoint.ModelConfig;

/** Pre-norm causal attention with grouped queries and rotary positions. */
record Attention(Matrix norm, Matrix query, Matrix key, Matrix value, Matrix output) {

    static Attention load(LayerWeights weights) {
        ModelConfig config = weights.config();
        int hidden = config.hidden();
        return new Attention(
                weights.vector("input_layernorm.weight", hidden),
                weights.linear("self_attn.q_proj", config.queryWidth(), hidden),
                weights.linear("self_attn.k_proj", config.keyWidth(), hidden),
                weights.linear("self_attn.v_proj", config.keyWidth(), hidden),
                weights.linear("self_attn.o_proj", hidden, config.queryWidth()));
    }

    void forward(Backend backend, ModelConfig config, Batch batch, KvCache cache, int layer, Workspace.Step w) {
        backend.rmsNorm(w.hidden(), norm, config.rmsNormEpsilon(), w.normed());
        backend.project(w.normed(), query, w.query());
        backend.project(w.normed(), key, w.key());
        backend.project(w.normed(), value, w.value());
        backend.ropeAndStore(
                batch, new Rope(config.headDim(), config.ropeTheta()), w.query(), w.key(), w.value(), cache, layer);
        backend.attend(batch, w.query(), cache, layer, w.attended());
        backend.projectAdd(w.attended(), output, w.hidden());
    }
}
