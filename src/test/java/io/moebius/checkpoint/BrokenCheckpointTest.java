package io.moebius.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each broken checkpoint is refused in one line that names what is wrong. */
class BrokenCheckpointTest {

    private static final Path GOOD = Path.of("src/test/resources/fixtures/m-fp8-dynamic");

    @TempDir
    Path folder;

    private static byte[] file(long headerLength, String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + json.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(headerLength)
                .put(json)
                .array();
    }

    private void write(String header, int dataBytes) throws IOException {
        Files.write(folder.resolve("model.safetensors"), file(header.getBytes(StandardCharsets.UTF_8).length, header, dataBytes));
    }

    private void config(String key, String value) throws IOException {
        ObjectNode config = (ObjectNode) new ObjectMapper().readTree(GOOD.resolve("config.json").toFile());
        if (value.equals("absent")) {
            config.remove(key);
        } else if (!key.isEmpty()) {
            config.set(key, new ObjectMapper().readTree(value));
        }
        Files.writeString(folder.resolve("config.json"), config.toString());
    }

    private void refused(String message) {
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .isInstanceOf(CheckpointException.class)
                .satisfies(e -> assertThat(e.getMessage()).contains(message).doesNotContain("\n"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "architectures | [\"GPT2LMHeadModel\"] | GPT2LMHeadModel",
        "architectures | absent | architectures",
        "num_hidden_layers | 0 | num_hidden_layers is 0",
        "num_hidden_layers | 1000000000 | 1000000000",
        "num_hidden_layers | -3 | -3",
        "num_hidden_layers | 2.5 | 2.5",
        "num_hidden_layers | \"4\" | \"4\"",
        "num_hidden_layers | absent | has no num_hidden_layers",
        "hidden_size | 0 | hidden_size",
        "hidden_size | 99999999999999999999 | 99999999999999999999",
        "num_attention_heads | 0 | num_attention_heads",
        "num_key_value_heads | 3 | divisors of num_attention_heads",
        "num_key_value_heads | 16 | num_key_value_heads is 16",
        "head_dim | 7 | even",
        "head_dim | 0 | head_dim",
        "head_dim | 4098 | head_dim is 4098; allowed: whole numbers from 2 to 4096",
        "num_local_experts | 0 | num_local_experts",
        "num_local_experts | 4097 | num_local_experts is 4097; allowed: whole numbers from 1 to 4096",
        "num_experts_per_tok | 9 | num_experts_per_tok is 9",
        "num_experts_per_tok | 0 | num_experts_per_tok",
        "intermediate_size | -1 | intermediate_size",
        "vocab_size | 0 | vocab_size",
        "max_position_embeddings | 0 | max_position_embeddings",
        "rope_theta | 0 | rope_theta",
        "rope_theta | \"NaN\" | rope_theta",
        "rope_theta | 1e400 | rope_theta",
        "rms_norm_eps | -1e-5 | rms_norm_eps",
        "rope_scaling | {\"type\": \"yarn\"} | rope_scaling",
        "hidden_act | \"relu\" | relu",
        "tie_word_embeddings | \"no\" | tie_word_embeddings",
        "bos_token_id | 1024 | bos_token_id",
        "eos_token_id | -1 | config.json: eos_token_id is -1; allowed: whole numbers from 0 to 1023",
        "eos_token_id | \"2\" | config.json: eos_token_id is \"2\"; allowed: whole numbers from 0 to 1023",
        "eos_token_id | [2,1024] | config.json: eos_token_id is [2,1024]; allowed: a list of whole numbers from 0 to 1023",
        "quantization_config | {\"quant_method\": \"gptq\"} | gptq",
        "quantization_config | {\"quant_method\": \"fp8\", \"activation_scheme\": \"sometimes\"} | sometimes",
        "quantization_config | {\"quant_method\": \"fp8\", \"weight_block_size\": [0, 128]} | weight_block_size",
        "quantization_config | {\"quant_method\": \"compressed-tensors\", \"format\": \"int-quantized\"} | config_groups",
    })
    void refusesNonsenseInTheConfiguration(String key, String value, String message) throws IOException {
        config(key, value);
        write("{}", 0);
        refused(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "[] | 0 | must be an object",
        "{\"a\" | 0 | not valid JSON",
        "{\"a\":1} | 0 | an object for a",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} | 8 | Duplicate",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}} | 4 | needs dtype, shape and two data_offsets",
        "{\"a\":{\"dtype\":\"Q4\",\"shape\":[1],\"data_offsets\":[0,4]}} | 4 | Q4",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}} | 4 | -1",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}} | 4 | 1.5",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}} | 4 | need 8 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}} | 4 | offsets 4 to 0",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} | 8 | hole",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}} | 6 | overlap",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | 0 | cut off",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}} | 9 | cover 4 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4194305,4194305,211106198978564],\"data_offsets\":[0,4]}} | 4 | overflows",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}} | 4 | 99999999999999999999",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}} | 4 | at most 8",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}} | 4 | the key x",
        "{} {} | 0 | text after",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[[[[[[[[[[1]]]]]]]]]],\"data_offsets\":[0,4]}} | 4 | shape",
    })
    void refusesABrokenHeader(String header, int dataBytes, String message) throws IOException {
        config("", "");
        write(header, dataBytes);
        refused(message);
    }

    @Test
    void refusesHeaderLengthsThatCannotBe() throws IOException {
        config("", "");
        for (long length : new long[] {0, 1, 11, 1L << 40, -1, 0x8000000000000002L}) {
            Files.write(folder.resolve("model.safetensors"), file(length, "{}", 0));
            refused("its header has " + Long.toUnsignedString(length));
        }
        Files.write(folder.resolve("model.safetensors"), new byte[7]);
        refused("7 bytes");
    }

    @Test
    void refusesAnIndexThatNamesWhatIsNotThere() throws IOException {
        config("", "");
        Path index = folder.resolve("model.safetensors.index.json");
        Files.write(folder.resolve("s.safetensors"), file(2, "{}", 0));
        for (String[] test : new String[][] {
            {"{}", "weight_map"},
            {"{\"weight_map\":{}}", "weight_map"},
            {"{\"weight_map\":{\"a\":\"../x.safetensors\"}}", "../x.safetensors"},
            {"{\"weight_map\":{\"a\":\"/etc/x.safetensors\"}}", "/etc/x.safetensors"},
            {"{\"weight_map\":{\"a\":\"x.bin\"}}", "x.bin"},
            {"{\"weight_map\":{\"a\":5}}", "5"},
            {"{\"weight_map\":{\"a\":\"gone.safetensors\"}}", "gone.safetensors"},
            {"{\"weight_map\":{\"a\":\"s.safetensors\"}}", "does not hold it"},
            {"{\"weight_map\":", "not valid JSON"},
        }) {
            Files.writeString(index, test[0]);
            refused(test[1]);
        }
    }

    @Test
    void refusesAFolderWithoutWhatItNeeds() throws IOException {
        refused("config.json");
        config("", "");
        refused("safetensors");
    }

    @Test
    void refusesNonsenseInTheGenerationConfiguration() throws IOException {
        config("", "");
        write("{}", 0);
        Path file = folder.resolve("generation_config.json");
        Files.writeString(file, "{\"eos_token_id\": [2, 1.5]}");
        refused("generation_config.json: eos_token_id is [2,1.5]; allowed: a list of whole numbers from 0 to 1023");
        Files.writeString(file, "{\"eos_token_id\": 99999999999}");
        refused("generation_config.json: eos_token_id is 99999999999; allowed: whole numbers from 0 to 1023");
    }

    @Test
    void refusesAFolderWhereAFileShouldBe() throws IOException {
        config("", "");
        Files.createDirectory(folder.resolve("generation_config.json"));
        refused("generation_config.json cannot be read");
    }

    @Test
    void refusesWeightsThatAreNotAsTheConfigurationSays() throws IOException {
        Checkpoint checkpoint = Checkpoint.open(GOOD);
        assertThatThrownBy(() -> checkpoint.tensor("model.embed_tokens.weight", 2048, 128))
                .hasMessageContaining("[1024, 128]").hasMessageContaining("[2048, 128]");
        assertThatThrownBy(() -> checkpoint.linear("model.layers.9.self_attn.q_proj", 128, 128)).hasMessageContaining("missing");
        assertThatThrownBy(() -> checkpoint.tensor("model.layers.0.self_attn.q_proj.weight", 128, 128)).hasMessageContaining("F8_E4M3");
    }

    @Test
    void refusesScalesThatAreNone() throws IOException {
        config("", "");
        for (float scale : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            byte[] file = file(
                    132,
                    "{\"l.weight\":{\"dtype\":\"F8_E4M3\",\"shape\":[1,4],\"data_offsets\":[0,4]},\"l.weight_scale\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]}}",
                    8);
            ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(0, file.length - 16).putFloat(file.length - 4, scale);
            Files.write(folder.resolve("model.safetensors"), file);
            assertThatThrownBy(() -> Checkpoint.open(folder).linear("l", 1, 4)).hasMessageContaining("l.weight_scale holds " + scale);
        }
    }

    @Test
    void onlyCheckpointExceptionsEscapeFromMutatedFiles() throws IOException {
        byte[] header = Files.readAllBytes(GOOD.resolve("model-00001-of-00002.safetensors"));
        byte[] config = Files.readAllBytes(GOOD.resolve("config.json"));
        Random random = new Random(3);
        for (int round = 0; round < 500; round++) {
            Files.write(folder.resolve("config.json"), round % 2 == 0 ? mutated(config, config.length, random) : config);
            Files.write(folder.resolve("model.safetensors"), mutated(header, 4000, random));
            try {
                Checkpoint.open(folder);
            } catch (CheckpointException expected) {
                assertThat(expected.getMessage()).isNotBlank();
            }
        }
    }

    private static byte[] mutated(byte[] bytes, int within, Random random) {
        byte[] copy = bytes.clone();
        for (int i = 0; i < 3; i++) {
            copy[random.nextInt(within)] = (byte) random.nextInt(256);
        }
        return copy;
    }
}
