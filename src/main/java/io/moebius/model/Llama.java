package io.moebius.model;

/** Llama and Mistral (Touvron et al. 2023, Jiang et al. 2023): plain attention, one feed-forward network. */
record Llama() implements Family {

    @Override
    public DecoderLayer load(LayerWeights weights) {
        return new DecoderLayer(Attention.load(weights), DenseFeedForward.load(weights));
    }
}
