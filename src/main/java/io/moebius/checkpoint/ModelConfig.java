package io.moebius.checkpoint;

import java.util.Set;

/**
 * The checked content of config.json and generation_config.json that a decoder needs.
 *
 * @param architecture  first of "architectures", e.g. MixtralForCausalLM
 * @param ffn           intermediate_size, or moe_intermediate_size: of one expert, or of the dense network
 * @param denseFfn      intermediate_size of the layers without experts; 0 where all have some
 * @param denseLayers   layers without experts: all of a dense network
 * @param experts       0 for a dense network
 * @param maxPositions  most tokens of a sequence
 * @param slidingWindow tokens that a token sees, itself included; 0 for all
 * @param attentionBias biases on query, key and value, and on the output where the checkpoint has them
 * @param bosToken      -1 for none
 */
public record ModelConfig(
        String architecture,
        int layers,
        int hidden,
        int heads,
        int kvHeads,
        int headDim,
        int ffn,
        int denseFfn,
        Set<Integer> denseLayers,
        int experts,
        int expertsPerToken,
        int vocabulary,
        int maxPositions,
        RotaryPositions rotary,
        double rmsNormEpsilon,
        int slidingWindow,
        boolean tiedEmbeddings,
        boolean attentionBias,
        int bosToken,
        Set<Integer> eosTokens) {

    public boolean hasExperts(int layer) {
        return !denseLayers.contains(layer);
    }

    /** Channels of all query heads. */
    public int queryWidth() {
        return heads * headDim;
    }

    /** Channels of all key heads, or value heads. */
    public int keyWidth() {
        return kvHeads * headDim;
    }
}
