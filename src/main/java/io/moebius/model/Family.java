package io.moebius.model;

/** An architecture family: what its layers are made of. */
interface Family {

    DecoderLayer load(LayerWeights weights);

    /** @param architecture as config.json names it; the checkpoint package lets no other through */
    static Family of(String architecture) {
        return switch (architecture) {
            case "MixtralForCausalLM" -> new Mixtral();
            case "LlamaForCausalLM", "MistralForCausalLM" -> new Llama();
            case "Qwen2ForCausalLM" -> new Qwen2();
            case "Qwen3ForCausalLM" -> new Qwen3();
            case "Qwen3MoeForCausalLM" -> new Qwen3Moe();
            default -> throw new IllegalArgumentException("no model family for " + architecture);
        };
    }
}
