package io.moebius.model;

/** Qwen2 (Yang et al. 2024): biases on query, key and value, one feed-forward network. */
record Qwen2() implements Family {

    @Override
    public DecoderLayer load(LayerWeights weights) {
        return new DecoderLayer(Attention.load(weights).withBiases(weights), DenseFeedForward.load(weights));
    }
}
