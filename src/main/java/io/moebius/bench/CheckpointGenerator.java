package io.moebius.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Writes a checkpoint of random weights that loads, runs and answers nonsense: for measuring shapes whose weights nobody has. */
public final class CheckpointGenerator {

    static final String ARCHITECTURE = "MixtralForCausalLM";
    static final double RMS_NORM_EPSILON = 1e-5;
    static final float ROPE_THETA = 1e6f;

    private static final long SHARD_BYTES = 2L << 30;

    private final Shape shape;
    private final Layout layout;
    private final long seed;

    public CheckpointGenerator(Shape shape, Layout layout, long seed) {
        this.shape = shape;
        this.layout = layout;
        this.seed = seed;
    }

    /**
     * Writes config.json, tokenizer.json, tokenizer_config.json and safetensors shards; never holds more than a piece of a tensor.
     *
     * @param folder made where it is missing; must be empty
     * @return bytes of all weights
     * @throws IOException if the folder holds something or cannot be written
     */
    public long write(Path folder) throws IOException {
        Files.createDirectories(folder);
        try (Stream<Path> files = Files.list(folder)) {
            if (files.findAny().isPresent()) {
                throw new IOException("%s is not empty; give a new folder".formatted(folder));
            }
        }
        List<PlannedTensor> tensors = PlannedTensor.of(shape, layout);
        new ShardWriter(folder, new RandomValues(seed)).write(tensors, SHARD_BYTES);
        ObjectMapper mapper = new ObjectMapper();
        mapper.writeValue(folder.resolve("tokenizer.json").toFile(), RandomTokenizer.tokenizer(shape.vocabulary()));
        mapper.writeValue(folder.resolve("tokenizer_config.json").toFile(), RandomTokenizer.configuration());
        mapper.writerWithDefaultPrettyPrinter().writeValue(folder.resolve("config.json").toFile(), configuration());
        return tensors.stream().mapToLong(PlannedTensor::bytes).sum();
    }

    private Map<String, Object> configuration() {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("architectures", List.of(ARCHITECTURE));
        config.put("model_type", "mixtral");
        config.put("hidden_act", "silu");
        config.put("hidden_size", shape.hidden());
        config.put("num_hidden_layers", shape.layers());
        config.put("num_attention_heads", shape.heads());
        config.put("num_key_value_heads", shape.kvHeads());
        config.put("intermediate_size", shape.ffn());
        config.put("num_local_experts", shape.experts());
        config.put("num_experts_per_tok", shape.expertsPerToken());
        config.put("vocab_size", shape.vocabulary());
        config.put("max_position_embeddings", shape.positions());
        config.put("rms_norm_eps", RMS_NORM_EPSILON);
        config.put("rope_theta", ROPE_THETA);
        config.put("tie_word_embeddings", false);
        config.put("torch_dtype", "bfloat16");
        config.put("bos_token_id", RandomTokenizer.BOS);
        config.put("eos_token_id", RandomTokenizer.EOS);
        config.putAll(layout.configuration());
        return config;
    }
}
