package io.moebius.model;

/** An architecture family: what its layers are made of. */
interface Family {

    DecoderLayer load(LayerWeights weights);

    /** @param architecture as config.json names it; the checkpoint package lets no other through */
    static Family of(String architecture) {
        return switch (architecture) {
            case "MixtralForCausalLM" -> new Mixtral();
            case "LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM" -> new Llama();
            case "Qwen3ForCausalLM" -> new Qwen3();
            case "Qwen3MoeForCausalLM" -> new Qwen3Moe();
            default -> throw new IllegalArgumentException("no model family for " + architecture);
        };
    }
}
