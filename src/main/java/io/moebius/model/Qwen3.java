package io.moebius.model;

/** Qwen3 (Yang et al. 2025): every head of query and key is normalised, one feed-forward network. */
record Qwen3() implements Family {

    @Override
    public DecoderLayer load(LayerWeights weights) {
        return new DecoderLayer(Attention.load(weights).withHeadNorms(weights), DenseFeedForward.load(weights));
    }
}
