package io.moebius.model;

/** Qwen3-MoE (Yang et al. 2025): every head of query and key is normalised, then a sparse mixture of experts. */
record Qwen3Moe() implements Family {

    @Override
    public DecoderLayer load(LayerWeights weights) {
        return new DecoderLayer(Attention.load(weights).withHeadNorms(weights), MixtureOfExperts.load(weights));
    }
}
