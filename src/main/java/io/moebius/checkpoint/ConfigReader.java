package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** config.json and generation_config.json as {@link ModelConfig}, every value checked before anything is sized by it. */
final class ConfigReader {

    private static final String EOS = "eos_token_id";

    private ConfigReader() {}

    static ModelConfig read(Path folder, JsonNode json) {
        ConfigFields config = new ConfigFields(json);
        Architecture architecture = Architecture.read(config);
        architecture.refuseWhatIsNotComputed(config);
        int layers = config.integer("num_hidden_layers", 1, 1000);
        int hidden = config.integer("hidden_size", 1, 1 << 17);
        int heads = config.integer("num_attention_heads", 1, 1 << 12);
        int kvHeads = config.integer("num_key_value_heads", 1, heads, heads);
        if (heads % kvHeads != 0) {
            throw config.wrong("num_key_value_heads", "divisors of num_attention_heads, " + heads);
        }
        if (config.absent("head_dim") && hidden % heads != 0) {
            throw config.wrong("num_attention_heads", "divisors of hidden_size, " + hidden);
        }
        int headDim = config.integer("head_dim", 2, 1 << 12, hidden / heads);
        if (headDim < 2 || headDim % 2 != 0) {
            throw config.wrong("head_dim", "even numbers");
        }
        int experts = architecture.experts(config);
        int ffn = architecture.ffn(config);
        Set<Integer> denseLayers = architecture.denseLayers(config, layers);
        int trainedPositions = config.integer("max_position_embeddings", 1, 1 << 24);
        RotaryPositions rotary = RotaryReader.read(config, architecture.ropeTheta(), trainedPositions);
        int maxPositions = rotary.most(trainedPositions);
        int vocabulary = config.integer("vocab_size", 1, 1 << 24);
        return new ModelConfig(
                architecture.className(),
                layers,
                hidden,
                heads,
                kvHeads,
                headDim,
                ffn,
                denseLayers.isEmpty() ? 0 : experts == 0 ? ffn : config.integer("intermediate_size", 1, 1 << 20),
                denseLayers,
                experts,
                experts == 0 ? 0 : config.integer("num_experts_per_tok", 1, experts),
                vocabulary,
                maxPositions,
                rotary,
                config.positive("rms_norm_eps", 1e-5),
                architecture.slidingWindow(config, maxPositions),
                config.flag("tie_word_embeddings"),
                architecture.attentionBias(config),
                config.integer("bos_token_id", 0, vocabulary - 1, -1),
                eosTokens(folder, config, vocabulary));
    }

    /** generation_config.json has the last word on what ends an answer. */
    private static Set<Integer> eosTokens(Path folder, ConfigFields config, int vocabulary) {
        Path file = folder.resolve("generation_config.json");
        ConfigFields generation = Files.exists(file) ? new ConfigFields(JsonFile.readObject(file), file.getFileName().toString()) : config;
        ConfigFields ids = generation.absent(EOS) ? config : generation;
        if (ids.json().path(EOS).isArray()) {
            return Set.copyOf(ids.integers(EOS, 0, vocabulary - 1));
        }
        return ids.absent(EOS) ? Set.of() : Set.of(ids.integer(EOS, 0, vocabulary - 1));
    }
}
