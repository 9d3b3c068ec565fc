package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Experts;
import io.moebius.backend.Matrix;
import io.moebius.checkpoint.ModelConfig;
import java.util.List;

/** A sparse mixture of SwiGLU experts, the weights of the chosen ones adding up to 1. */
record MixtureOfExperts(Matrix norm, Matrix router, Experts experts) implements FeedForward {

    static MixtureOfExperts load(LayerWeights weights) {
        int hidden = weights.config().hidden();
        int ffn = weights.config().ffn();
        List<Matrix> gates = weights.experts("gate_proj", ffn, hidden);
        List<Matrix> ups = weights.experts("up_proj", ffn, hidden);
        weights.backend().prepareGates(gates, ups);
        return new MixtureOfExperts(
                weights.vector("post_attention_layernorm.weight", hidden),
                weights.router("mlp.gate", weights.config().experts(), hidden),
                new Experts(gates, ups, weights.experts("down_proj", hidden, ffn)));
    }

    @Override
    public void forward(Backend backend, ModelConfig config, Workspace.Step w) {
        backend.rmsNorm(w.hidden(), norm, config.rmsNormEpsilon(), w.normed());
        backend.route(w.normed(), router, w.routing());
        backend.experts(w.normed(), w.routing(), experts, w.hidden());
    }
}
