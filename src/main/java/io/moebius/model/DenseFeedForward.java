package io.moebius.model;

import io.moebius.backend.Backend;
import io.moebius.backend.Matrix;
import io.moebius.checkpoint.ModelConfig;
import java.util.List;

/** One SwiGLU network for every token. */
record DenseFeedForward(Matrix norm, Matrix gate, Matrix up, Matrix down) implements FeedForward {

    static DenseFeedForward load(LayerWeights weights) {
        int hidden = weights.config().hidden();
        int ffn = weights.config().denseFfn();
        Matrix gate = weights.linear("mlp.gate_proj", ffn, hidden);
        Matrix up = weights.linear("mlp.up_proj", ffn, hidden);
        weights.backend().prepareGates(List.of(gate), List.of(up));
        return new DenseFeedForward(
                weights.vector("post_attention_layernorm.weight", hidden),
                gate,
                up,
                weights.linear("mlp.down_proj", hidden, ffn));
    }

    @Override
    public void forward(Backend backend, ModelConfig config, Workspace.Step w) {
        backend.rmsNorm(w.hidden(), norm, config.rmsNormEpsilon(), w.normed());
        backend.project(w.normed(), gate, w.gate());
        backend.project(w.normed(), up, w.up());
        backend.swiGlu(w.gate(), w.up());
        backend.projectAdd(w.gate(), down, w.hidden());
    }
}
