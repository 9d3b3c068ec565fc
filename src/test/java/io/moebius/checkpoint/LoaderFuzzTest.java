package io.moebius.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Thousands of mutated files: a checkpoint opens and gives its weights, or is refused by a CheckpointException of one line; it never
 * takes long, nor memory that its files do not account for.
 */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LoaderFuzzTest {

    private static final int ROUNDS = 8000;
    private static final long SLOWEST = TimeUnit.SECONDS.toNanos(5);
    /** Parsers' buffers and the sizes of small objects; the files have some 3 KB. */
    private static final long MOST_BYTES = 4 << 20;

    private static final List<String> QUANTIZATIONS = List.of(
            "{\"quant_method\":\"fp8\",\"activation_scheme\":\"static\",\"ignored_layers\":[\"lm_head\",\"*.gate\",\"re:.*mlp.(gate|x)$\"]}",
            "{\"quant_method\":\"fp8\",\"weight_block_size\":[128,128],\"modules_to_not_convert\":[\"lm_head\"]}",
            "{\"quant_method\":\"compressed-tensors\",\"format\":\"float-quantized\",\"ignore\":[\"lm_head\"],\"config_groups\":{\"group_0\":{\"weights\":{\"num_bits\":8,\"type\":\"float\",\"strategy\":\"block\",\"block_structure\":[128,128]},\"input_activations\":{\"dynamic\":true,\"strategy\":\"group\",\"group_size\":128}}}}",
            "{\"quant_method\":\"modelopt\",\"quant_algo\":\"FP8\",\"kv_cache_scheme\":{\"num_bits\":8,\"type\":\"float\"},\"ignore\":[\"lm_head\"]}",
            "{\"quant_method\":\"fbgemm_fp8\",\"activation_scale_ub\":1200.0}",
            "{\"quant_method\":\"quark\",\"global_quant_config\":{\"weight\":{\"dtype\":\"fp8_e4m3\",\"qscheme\":\"per_tensor\"}},\"exclude\":[\"*lm_head\"]}");

    private static final List<String> ARCHITECTURES = List.of(
            "\"architectures\":[\"MixtralForCausalLM\"],\"num_local_experts\":2,\"num_experts_per_tok\":2",
            "\"architectures\":[\"Qwen3MoeForCausalLM\"],\"num_experts\":2,\"num_experts_per_tok\":2,\"moe_intermediate_size\":4,\"norm_topk_prob\":true",
            "\"architectures\":[\"Qwen2ForCausalLM\"],\"use_sliding_window\":false",
            "\"architectures\":[\"MistralForCausalLM\"],\"sliding_window\":8,\"use_fp8_e4m3\":true");

    private static final String[] TOKENS = {
        "0", "-1", "1", "2", "4294967296", "9223372036854775807", "18446744073709551616", "1e308", "1e-400", "0.5", "null", "true", "{}",
        "[]", "\"\"", "\"F32\"", "\"I8\"", "\"F8_E5M2\"", "\"BF16\"", "[0,0]", "[4611686018427387904,4]", "[[[[[[[[[", "{\"a\":{\"a\":{\"a\":",
        "../x.safetensors", "\\u0000", "\\ud800", "re:(.*)*(.*)*x", "\"", ":", ",", "}", "]", " ", "\uFFFF", "a.safetensors", "\"shape\"",
        "model.layers.0.mlp.experts.gate_up_proj", "_scale_inv", ".weight", "99999999", "1000000000", "1000",
    };

    enum Target { HEADER, INDEX, CONFIG }

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(Target.class)
    void mutatedFilesAreRefusedOrLoaded(Target target) throws IOException {
        Random random = new Random(target.ordinal());
        ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        writeWhole();
        use(Checkpoint.open(folder));
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            String description = write(target, round, random);
            long bytes = memory.getCurrentThreadAllocatedBytes();
            long start = System.nanoTime();
            try {
                use(round % 4 == 0 ? Checkpoint.open(folder, WeightBits.values()[round / 4 % 3]) : Checkpoint.open(folder));
            } catch (CheckpointException e) {
                refused++;
                assertThat(e.getMessage()).as(description).isNotBlank().doesNotContain("\n");
            } catch (RuntimeException | Error e) {
                throw new AssertionError("round %d: %s".formatted(round, description), e);
            }
            assertThat(System.nanoTime() - start).as(description).isLessThan(SLOWEST);
            assertThat(memory.getCurrentThreadAllocatedBytes() - bytes).as(description).isLessThan(MOST_BYTES);
        }
        assertThat(refused).isBetween(ROUNDS / 4, ROUNDS - 1);
    }

    private static void use(Checkpoint checkpoint) {
        checkpoint.format();
        if (checkpoint.config().layers() < 10) {
            checkpoint.fp8KvStorage();
        }
        checkpoint.linear("model.layers.0.self_attn.q_proj", 4, 4);
        checkpoint.linear("model.layers.0.mlp.experts.1.up_proj", 4, 4);
        checkpoint.linear("model.layers.0.mlp.experts.1.down_proj", 4, 4);
        checkpoint.tensor("model.norm.weight", 1, 4);
    }

    private static final Header FIRST = new Header()
            .add("model.embed_tokens.weight", "BF16", "[8,4]", 64)
            .add("model.norm.weight", "F32", "[4]", 16)
            .add("model.layers.0.self_attn.q_proj.weight", "F8_E4M3", "[4,4]", 16)
            .add("model.layers.0.self_attn.q_proj.weight_scale", "F32", "[]", 4)
            .add("model.layers.0.self_attn.q_proj.input_scale", "BF16", "[1]", 2)
            .add("model.layers.0.self_attn.k_scale", "F32", "[1]", 4);
    private static final Header SECOND = new Header()
            .add("model.layers.0.mlp.experts.gate_up_proj", "F8_E4M3", "[2,8,4]", 64)
            .add("model.layers.0.mlp.experts.gate_up_proj_scale", "F32", "[2,1]", 8)
            .add("model.layers.0.mlp.experts.gate_up_proj_input_scale", "F32", "[2]", 8)
            .add("model.layers.0.block_sparse_moe.experts.1.w2.weight", "F8_E4M3", "[4,4]", 16)
            .add("model.layers.0.block_sparse_moe.experts.1.w2.weight_scale_inv", "F32", "[4,1]", 16)
            .add("model.layers.0.block_sparse_moe.experts.1.w2.act_scale", "F16", "[]", 2);
    private static final String INDEX_JSON =
            "{\"weight_map\":{" + FIRST.index("a.safetensors") + "," + SECOND.index("b.safetensors") + "}}";

    private static String config(int round) {
        return ("{%s,\"num_hidden_layers\":1,\"hidden_size\":4,\"num_attention_heads\":2,\"num_key_value_heads\":1,\"head_dim\":2,"
                        + "\"intermediate_size\":4,\"vocab_size\":8,\"max_position_embeddings\":64,\"rope_theta\":10000.0,"
                        + "\"eos_token_id\":[2],\"quantization_config\":%s}")
                .formatted(ARCHITECTURES.get(round % ARCHITECTURES.size()), QUANTIZATIONS.get(round % QUANTIZATIONS.size()));
    }

    private void writeWhole() throws IOException {
        Files.writeString(folder.resolve("config.json"), config(0));
        Files.writeString(folder.resolve("model.safetensors.index.json"), INDEX_JSON);
        Files.write(folder.resolve("a.safetensors"), FIRST.file(FIRST.json(), 0));
        Files.write(folder.resolve("b.safetensors"), SECOND.file(SECOND.json(), 0));
    }

    /** Writes one mutated file, and returns its text. */
    private String write(Target target, int round, Random random) throws IOException {
        String mutated = mutate(switch (target) {
            case HEADER -> SECOND.json();
            case INDEX -> INDEX_JSON;
            case CONFIG -> config(round);
        }, random);
        switch (target) {
            case HEADER -> {
                long lie = random.nextInt(8) == 0 ? random.nextLong() >> random.nextInt(64) : 0;
                Files.delete(folder.resolve("b.safetensors"));
                Files.write(folder.resolve("b.safetensors"), SECOND.file(mutated, lie));
            }
            case INDEX -> Files.writeString(folder.resolve("model.safetensors.index.json"), mutated);
            case CONFIG -> Files.writeString(folder.resolve("config.json"), mutated);
        }
        return mutated;
    }

    private static String mutate(String text, Random random) {
        StringBuilder mutated = new StringBuilder(text);
        for (int times = 1 + random.nextInt(3); times > 0 && !mutated.isEmpty(); times--) {
            int at = random.nextInt(mutated.length());
            int end = Math.min(mutated.length(), at + 1 + random.nextInt(12));
            String token = TOKENS[random.nextInt(TOKENS.length)];
            switch (random.nextInt(5)) {
                case 0 -> mutated.setCharAt(at, (char) random.nextInt(256));
                case 1 -> mutated.delete(at, end);
                case 2 -> mutated.insert(at, mutated.substring(at, end));
                case 3 -> mutated.insert(at, token);
                default -> {
                    int number = at;
                    while (number < mutated.length() && !Character.isDigit(mutated.charAt(number))) {
                        number++;
                    }
                    int after = number;
                    while (after < mutated.length() && Character.isDigit(mutated.charAt(after))) {
                        after++;
                    }
                    mutated.replace(number, after, token);
                }
            }
        }
        return mutated.toString();
    }

    /** A file's tensors, all bytes of theirs 0x3f. */
    private static final class Header {

        private final StringBuilder json = new StringBuilder();
        private final StringBuilder names = new StringBuilder();
        private int bytes;

        Header add(String name, String type, String shape, int size) {
            json.append(json.isEmpty() ? "" : ",").append("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(name, type, shape, bytes, bytes + size));
            names.append(names.isEmpty() ? "" : ",").append('"').append(name).append("\":\"%s\"");
            bytes += size;
            return this;
        }

        String json() {
            return "{" + json + "}";
        }

        String index(String file) {
            return names.toString().replace("%s", file);
        }

        byte[] file(String header, long lie) {
            byte[] text = header.getBytes(StandardCharsets.UTF_8);
            byte[] data = new byte[bytes];
            Arrays.fill(data, (byte) 0x3f);
            return ByteBuffer.allocate(8 + text.length + bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(text.length + lie)
                    .put(text)
                    .put(data)
                    .array();
        }
    }
}
