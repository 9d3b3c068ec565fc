package io.moebius.model;

/** Mixtral of experts (Jiang et al. 2024): Mistral's attention, then a sparse mixture of experts. */
record Mixtral() implements Family {

    @Override
    public DecoderLayer load(LayerWeights weights) {
        return new DecoderLayer(Attention.load(weights), MixtureOfExperts.load(weights));
    }
}
