package io.moebius.model;

/** Qwen3-MoE (Yang et al. 2025): every head of query and key is normalised, then a sparse mixture of experts, or one network in some layers. */
record Qwen3Moe() implements Family {

    @Override
    public DecoderLayer load(LayerWeights weights) {
        boolean experts = weights.config().hasExperts(weights.layer());
        return new DecoderLayer(
                Attention.load(weights).withHeadNorms(weights), experts ? MixtureOfExperts.load(weights) : DenseFeedForward.load(weights));
    }
}
