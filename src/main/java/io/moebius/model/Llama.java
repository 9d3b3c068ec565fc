package io.moebius.model;

/** Llama, Mistral and Qwen2 (Touvron et al. 2023, Jiang et al. 2023, Yang et al. 2024): attention, one feed-forward network. */
record Llama() implements Family {

    @Override
    public DecoderLayer load(LayerWeights weights) {
        return new DecoderLayer(Attention.load(weights), DenseFeedForward.load(weights));
    }
}
