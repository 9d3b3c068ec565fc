package io.moebius.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.moebius.backend.ActivationQuantization;
import io.moebius.backend.DType;
import io.moebius.backend.Weight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every tool's way of writing e4m3 gives the same weight. */
class DialectsTest {

    private static final String STATIC = "{\"quant_method\": \"fp8\", \"activation_scheme\": \"static\"}";
    private static final int[] SCALAR = {};

    @TempDir
    Path folder;

    private static TinyCheckpoint checkpoint(String quantization) {
        return new TinyCheckpoint().config("quantization_config", quantization);
    }

    @ParameterizedTest
    @ValueSource(strings = {"input_scale", "act_scale", "in_scale", "activation_scale"})
    void staticInputsByAnyName(String name) {
        Weight weight = checkpoint(STATIC)
                .codes("l.weight", "F8_E4M3", 2, 4)
                .scales("l.weight_scale", "F32", SCALAR, 0.5f)
                .scales("l." + name, "F32", new int[] {1}, 0.25f)
                .open(folder)
                .linear("l", 2, 4);
        assertThat(weight.activation()).isEqualTo(new ActivationQuantization.Static(0.25f));
        assertThat(weight.scales().values()).containsExactly(0.5f);
    }

    @ParameterizedTest
    @ValueSource(strings = {"F32", "BF16", "F16"})
    void scalesOfEveryTypeAndShape(String type) {
        TinyCheckpoint tiny = checkpoint("{\"quant_method\": \"fp8\"}");
        int[][] shapes = {{}, {1}, {1, 1}, {2}, {2, 1}};
        for (int i = 0; i < shapes.length; i++) {
            tiny.codes("l" + i + ".weight", "F8_E4M3", 2, 4);
            tiny.scales("l" + i + ".weight_scale", type, shapes[i], i < 3 ? new float[] {0.5f} : new float[] {0.5f, 2});
        }
        Checkpoint checkpoint = tiny.open(folder);
        for (int i = 0; i < shapes.length; i++) {
            Weight weight = checkpoint.linear("l" + i, 2, 4);
            assertThat(weight.scales().at(0, 3, 4)).isEqualTo(0.5f);
            assertThat(weight.scales().at(1, 0, 4)).isEqualTo(i < 3 ? 0.5f : 2);
        }
    }

    @Test
    void blocksUnderEitherName() {
        Checkpoint checkpoint = checkpoint("{\"quant_method\": \"fp8\", \"weight_block_size\": [2, 2]}")
                .codes("a.weight", "F8_E4M3", 3, 4)
                .scales("a.weight_scale_inv", "BF16", new int[] {2, 2}, 1, 2, 4, 8)
                .codes("b.weight", "F8_E4M3", 3, 4)
                .scales("b.weight_scale", "F32", new int[] {2, 2}, 1, 2, 4, 8)
                .open(folder);
        for (String layer : new String[] {"a", "b"}) {
            assertThat(checkpoint.linear(layer, 3, 4).scales().at(2, 3, 4)).isEqualTo(8);
            assertThat(checkpoint.linear(layer, 3, 4).activation()).isEqualTo(new ActivationQuantization.PerGroup(2));
        }
    }

    @Test
    void blocksOfCompressedTensors() {
        Weight weight = checkpoint("""
                {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": {
                 "weights": {"num_bits": 8, "type": "float", "strategy": "block", "block_structure": [2, 2]},
                 "input_activations": {"dynamic": true, "strategy": "group", "group_size": 2}}}}""")
                .codes("l.weight", "F8_E4M3", 3, 4)
                .scales("l.weight_scale", "BF16", new int[] {2, 2}, 1, 2, 4, 8)
                .open(folder)
                .linear("l", 3, 4);
        assertThat(weight.scales().at(2, 3, 4)).isEqualTo(8);
        assertThat(weight.activation()).isEqualTo(new ActivationQuantization.PerGroup(2));
    }

    private static String groups(String... groups) {
        return "{'quant_method':'compressed-tensors','format':'float-quantized','config_groups':{%s}}"
                .formatted(String.join(",", groups)).replace('\'', '"');
    }

    private static String group(String name, String targets, String weights, String inputs) {
        return "'%s':{'targets':%s,'weights':{%s},'input_activations':%s}".formatted(name, targets, weights, inputs);
    }

    private static final String ROWS = "'num_bits':8,'type':'float','strategy':'channel'";
    private static final String BLOCKS = "'num_bits':8,'type':'float','strategy':'block','block_structure':[2,2]";
    private static final String PER_TOKEN = "{'dynamic':true,'strategy':'token'}";
    private static final String PER_GROUP = "{'dynamic':true,'strategy':'group','group_size':2}";
    private static final String INTEGERS = "'num_bits':4,'type':'int','strategy':'group','group_size':128";

    @Test
    void everyLayerTakesTheScalesAndInputsOfItsGroup() {
        Checkpoint checkpoint = checkpoint(groups(
                        group("experts", "['re:.*block_sparse_moe\\\\.experts\\\\.\\\\d+\\\\.w2$']", BLOCKS, PER_GROUP),
                        group("head", "['model.layers.0.self_attn.o_proj']", ROWS, "{'dynamic':false,'strategy':'tensor'}"),
                        group("others", "['Linear']", ROWS, PER_TOKEN)))
                .codes("model.layers.0.block_sparse_moe.experts.1.w2.weight", "F8_E4M3", 3, 4)
                .scales("model.layers.0.block_sparse_moe.experts.1.w2.weight_scale", "BF16", new int[] {2, 2}, 1, 2, 4, 8)
                .codes("model.layers.0.self_attn.o_proj.weight", "F8_E4M3", 2, 4)
                .scales("model.layers.0.self_attn.o_proj.weight_scale", "BF16", new int[] {2, 1}, 1, 2)
                .scales("model.layers.0.self_attn.o_proj.input_scale", "BF16", new int[] {1}, 0.25f)
                .codes("model.layers.0.self_attn.q_proj.weight", "F8_E4M3", 2, 4)
                .scales("model.layers.0.self_attn.q_proj.weight_scale", "BF16", new int[] {2, 1}, 1, 2)
                .open(folder);
        Weight expert = checkpoint.linear("model.layers.0.mlp.experts.1.down_proj", 3, 4);
        assertThat(expert.scales().at(2, 3, 4)).isEqualTo(8);
        assertThat(expert.activation()).isEqualTo(new ActivationQuantization.PerGroup(2));
        assertThat(checkpoint.linear("model.layers.0.self_attn.o_proj", 2, 4).activation()).isEqualTo(new ActivationQuantization.Static(0.25f));
        assertThat(checkpoint.linear("model.layers.0.self_attn.q_proj", 2, 4).activation()).isEqualTo(new ActivationQuantization.PerToken());
    }

    @Test
    void refusesAGroupOfIntegersByItsName() {
        TinyCheckpoint tiny = checkpoint(groups(group("fine", "['Linear']", ROWS, PER_TOKEN), group("coarse", "['re:.*up_proj']", INTEGERS, "null")))
                .codes("a.up_proj.weight_packed", "U8", 2, 4)
                .scales("a.up_proj.weight_scale", "BF16", new int[] {2, 1}, 1, 2);
        assertThatThrownBy(() -> tiny.open(folder)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("config_groups \"coarse\" (4-bit \"int\" weights) is that of a.up_proj")
                .hasMessageContaining("--quantization 8bit");
    }

    @Test
    void takesNoNoticeOfAGroupOfIntegersWithoutLayers() {
        Weight weight = checkpoint(groups(group("vision", "['re:.*vision_tower.*']", INTEGERS, "null"), group("text", "['Linear']", ROWS, PER_TOKEN)))
                .codes("l.weight", "F8_E4M3", 2, 4)
                .scales("l.weight_scale", "F32", new int[] {2, 1}, 0.5f, 2)
                .open(folder)
                .linear("l", 2, 4);
        assertThat(weight.activation()).isEqualTo(new ActivationQuantization.PerToken());
    }

    @Test
    void refusesAQuantisedLayerOfNoGroup() {
        TinyCheckpoint tiny = checkpoint(groups(group("a", "['model.a']", ROWS, PER_TOKEN), group("b", "['model.b']", ROWS, PER_TOKEN)))
                .codes("model.c.weight", "F8_E4M3", 2, 4)
                .scales("model.c.weight_scale", "F32", new int[] {2, 1}, 0.5f, 2);
        assertThatThrownBy(() -> tiny.open(folder)).isInstanceOf(CheckpointException.class).hasMessageContaining("model.c");
    }

    @Test
    void takesGroupsOfDifferentFormatsByTheirOwn() {
        String own = groups(group("a", "['Linear']", ROWS, PER_TOKEN)).replace("\"float-quantized\"", "\"mixed-precision\"")
                .replace("\"targets\"", "\"format\":\"float-quantized\",\"targets\"");
        assertThat(checkpoint(own).codes("l.weight", "F8_E4M3", 2, 4).open(folder).format()).isEqualTo("compressed-tensors FP8");
    }

    @ParameterizedTest
    @ValueSource(strings = {"F8_E5M2", "F8_E8M0", "I8", "U8"})
    void refusesOtherTypesOfEightBits(String type) {
        TinyCheckpoint tiny = checkpoint("{\"quant_method\": \"fp8\"}")
                .codes("l.weight", type, 2, 4)
                .scales("l.weight_scale", "F32", SCALAR, 0.5f);
        assertThatThrownBy(() -> tiny.open(folder).linear("l", 2, 4)).isInstanceOf(CheckpointException.class).hasMessageContaining(type);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "{`quant_method`:`modelopt`,`quant_algo`:`FP8`,`ignore`:[`lm_head`]} | ModelOpt FP8 | static",
        "{`quant_method`:`modelopt`,`quant_algo`:`FP8_PER_CHANNEL_PER_TOKEN`} | ModelOpt FP8 | token",
        "{`quant_method`:`fbgemm_fp8`,`activation_scale_ub`:1200.0} | FBGEMM FP8 | 1200",
        "{`quant_method`:`quark`,`global_quant_config`:{`weight`:{`dtype`:`fp8_e4m3`,`qscheme`:`per_tensor`},`input_tensors`:{`dtype`:`fp8_e4m3`,`is_dynamic`:false}},`exclude`:[`*lm_head`]} | Quark FP8 | static",
        "{`quant_method`:`quark`,`global_quant_config`:{`weight`:{`dtype`:`fp8_e4m3`,`qscheme`:`per_channel`},`input_tensors`:{`dtype`:`fp8_e4m3`,`is_dynamic`:true}}} | Quark FP8 | token",
        "{`quant_method`:`quark`,`global_quant_config`:{`weight`:{`dtype`:`fp8_e4m3`,`qscheme`:`per_tensor`}}} | Quark FP8 | none",
        "{`quant_method`:`compressed-tensors`,`format`:`float-quantized`,`config_groups`:{`group_0`:{`weights`:{`num_bits`:8,`type`:`float`,`strategy`:`tensor`},`input_activations`:{`dynamic`:false,`strategy`:`tensor`}}},`ignore`:[`lm_head`,`re:.*mlp.gate`]} | compressed-tensors FP8 | static",
        "{`quant_method`:`compressed-tensors`,`format`:`float-quantized`,`config_groups`:{`fp8`:{`weights`:{`num_bits`:8,`type`:`float`,`strategy`:`channel`},`input_activations`:{`dynamic`:true,`strategy`:`token`}}}} | compressed-tensors FP8 | token",
        "{`quant_method`:`compressed-tensors`,`format`:`float-quantized`,`config_groups`:{`group_0`:{`weights`:{`num_bits`:8,`type`:`float`,`strategy`:`channel`},`input_activations`:null}}} | compressed-tensors FP8 | none",
        "{`quant_method`:`fp8`,`activation_scheme`:`static`,`kv_cache_scheme`:`static`,`ignored_layers`:[`*.gate`]} | AutoFP8 static | static",
        // With all the keys that the tools write today.
        "{`config_groups`:{`group_0`:{`format`:`float-quantized`,`input_activations`:{`actorder`:null,`block_structure`:null,`dynamic`:true,`group_size`:null,`num_bits`:8,`observer`:null,`observer_kwargs`:{},`strategy`:`token`,`symmetric`:true,`type`:`float`},`output_activations`:null,`targets`:[`Linear`],`weights`:{`actorder`:null,`block_structure`:null,`dynamic`:false,`group_size`:null,`num_bits`:8,`observer`:`minmax`,`observer_kwargs`:{},`strategy`:`channel`,`symmetric`:true,`type`:`float`}}},`format`:`float-quantized`,`global_compression_ratio`:null,`ignore`:[`lm_head`,`model.layers.0.block_sparse_moe.gate`],`kv_cache_scheme`:null,`quant_method`:`compressed-tensors`,`quantization_status`:`compressed`,`sparsity_config`:{},`transform_config`:{},`version`:`0.12.2`} | compressed-tensors FP8 | token",
        "{`activation_scheme`:`static`,`dequantize`:false,`modules_to_not_convert`:[`lm_head`],`quant_method`:`fp8`,`weight_block_size`:null} | AutoFP8 static | static",
        "{`activation_scheme`:`dynamic`,`modules_to_not_convert`:null,`quant_method`:`fp8`} | AutoFP8 dynamic | token",
        "{`config_groups`:{`group_0`:{`input_activations`:{`dynamic`:false,`num_bits`:8,`type`:`float`},`weights`:{`dynamic`:false,`num_bits`:8,`type`:`float`},`targets`:[`Linear`]}},`ignore`:[`lm_head`],`quant_algo`:`FP8`,`kv_cache_scheme`:{`dynamic`:false,`num_bits`:8,`type`:`float`},`producer`:{`name`:`modelopt`,`version`:`0.33.0`},`quant_method`:`modelopt`} | ModelOpt FP8 | static",
        "{`activation_scale_ub`:1200.0,`modules_to_not_convert`:[`model.layers.0.self_attn.q_proj`,`lm_head`],`quant_method`:`fbgemm_fp8`} | FBGEMM FP8 | 1200",
        "{`algo_config`:null,`exclude`:[`lm_head`,`*.gate`],`export`:{`kv_cache_group`:[`*k_proj`,`*v_proj`],`pack_method`:`reorder`,`weight_format`:`real_quantized`,`weight_merge_groups`:null},`global_quant_config`:{`bias`:null,`input_tensors`:{`ch_axis`:null,`dtype`:`fp8_e4m3`,`group_size`:null,`is_dynamic`:false,`observer_cls`:`PerTensorMinMaxObserver`,`qscheme`:`per_tensor`,`round_method`:`half_even`,`scale_type`:`float`,`symmetric`:true},`output_tensors`:null,`target_device`:null,`weight`:{`ch_axis`:null,`dtype`:`fp8_e4m3`,`group_size`:null,`is_dynamic`:false,`observer_cls`:`PerTensorMinMaxObserver`,`qscheme`:`per_tensor`,`round_method`:`half_even`,`scale_type`:`float`,`symmetric`:true}},`layer_quant_config`:{`*k_proj`:{`output_tensors`:{`dtype`:`fp8_e4m3`}}},`layer_type_quant_config`:{},`quant_method`:`quark`,`quant_mode`:`eager_mode`,`softmax_quant_spec`:null,`version`:`0.8`} | Quark FP8 | static",
    })
    void everyTool(String quantization, String format, String inputs) {
        Checkpoint checkpoint = checkpoint(quantization.replace('`', '"'))
                .codes("l.weight", "F8_E4M3", 2, 4)
                .scales("l.weight_scale", "F32", new int[] {2, 1}, 0.5f, 2)
                .scales("l.input_scale", "F32", SCALAR, 0.25f)
                .open(folder);
        Weight weight = checkpoint.linear("l", 2, 4);
        assertThat(checkpoint.format()).isEqualTo(format);
        assertThat(weight.dtype()).isEqualTo(DType.E4M3);
        assertThat(weight.scales().at(1, 0, 4)).isEqualTo(2);
        assertThat(weight.activation()).isEqualTo(switch (inputs) {
            case "static" -> new ActivationQuantization.Static(0.25f);
            case "token" -> new ActivationQuantization.PerToken();
            case "none" -> new ActivationQuantization.None();
            default -> new ActivationQuantization.PerToken(Float.parseFloat(inputs));
        });
    }

    @Test
    void theFirstFilesOfLlmCompressor() {
        Checkpoint checkpoint = new TinyCheckpoint()
                .config("compression_config", """
                        {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": {
                         "weights": {"num_bits": 8, "type": "float", "strategy": "tensor"},
                         "input_activations": {"dynamic": false, "strategy": "tensor"}}}}""")
                .codes("l.weight", "F8_E4M3", 2, 4)
                .scales("l.weight_scale", "BF16", new int[] {1}, 0.5f)
                .scales("l.input_scale", "BF16", new int[] {1}, 0.25f)
                .open(folder);
        assertThat(checkpoint.format()).isEqualTo("compressed-tensors FP8");
        assertThat(checkpoint.linear("l", 2, 4).activation()).isEqualTo(new ActivationQuantization.Static(0.25f));
    }

    @Test
    void modelOptsOwnFile() throws IOException {
        Files.writeString(folder.resolve("hf_quant_config.json"), """
                {"producer": {"name": "modelopt"}, "quantization":
                 {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head", "model.layers.0*"]}}""");
        Checkpoint checkpoint = new TinyCheckpoint()
                .codes("l.weight", "F8_E4M3", 2, 4)
                .scales("l.weight_scale", "F32", SCALAR, 0.5f)
                .scales("l.input_scale", "F32", SCALAR, 0.25f)
                .open(folder);
        assertThat(checkpoint.format()).isEqualTo("ModelOpt FP8");
        assertThat(checkpoint.linear("l", 2, 4).activation()).isEqualTo(new ActivationQuantization.Static(0.25f));
    }

    @ParameterizedTest
    @CsvSource({"I8,in_scale", "F8_E4M3,input_scale"})
    void friendlisSecondGenerationByAnyName(String type, String inputScale) {
        Checkpoint checkpoint = checkpoint(STATIC)
                .config("use_fp8_e4m3", "true")
                .codes("l.weight", type, 2, 4)
                .scales("l.weight_scale", "F32", SCALAR, 0.5f)
                .scales("l." + inputScale, "F32", SCALAR, 0.25f)
                .open(folder);
        assertThat(checkpoint.format()).isEqualTo("FriendliAI FMO FP8");
        assertThat(checkpoint.linear("l", 2, 4).activation()).isEqualTo(new ActivationQuantization.Static(0.25f));
    }

    @Test
    void expertsOfEitherName() {
        Checkpoint checkpoint = checkpoint("{\"quant_method\": \"fp8\"}")
                .codes("model.layers.0.block_sparse_moe.experts.1.w2.weight", "F8_E4M3", 2, 4)
                .scales("model.layers.0.block_sparse_moe.experts.1.w2.weight_scale", "F32", SCALAR, 0.5f)
                .open(folder);
        assertThat(checkpoint.linear("model.layers.0.mlp.experts.1.down_proj", 2, 4).name())
                .isEqualTo("model.layers.0.block_sparse_moe.experts.1.w2.weight");
    }

    @Test
    void fusedExpertsWithScalesPerExpertAndRow() {
        String experts = "model.layers.0.mlp.experts.";
        Checkpoint checkpoint = checkpoint("{\"quant_method\": \"fp8\", \"activation_scheme\": \"static\"}")
                .codes(experts + "gate_up_proj", "F8_E4M3", 2, 4, 3)
                .scales(experts + "gate_up_proj_scale", "F32", new int[] {2, 4, 1}, 1, 2, 3, 4, 5, 6, 7, 8)
                .scales(experts + "gate_up_proj_input_scale", "F32", SCALAR, 0.25f)
                .codes(experts + "down_proj", "F8_E4M3", 2, 3, 2)
                .scales(experts + "down_proj_scale", "F32", new int[] {2, 1, 1}, 16, 32)
                .scales(experts + "down_proj.input_scale", "F32", new int[] {2}, 0.5f, 2)
                .open(folder);
        Weight up = checkpoint.linear(experts + "1.up_proj", 2, 3);
        assertThat(up.data().asByteBuffer().get(0)).isEqualTo((byte) 18);
        assertThat(up.scales().values()).containsExactly(7, 8);
        assertThat(up.activation()).isEqualTo(new ActivationQuantization.Static(0.25f));
        Weight down = checkpoint.linear(experts + "1.down_proj", 3, 2);
        assertThat(down.data().asByteBuffer().get(0)).isEqualTo((byte) 6);
        assertThat(down.scales().values()).containsExactly(32);
        assertThat(down.activation()).isEqualTo(new ActivationQuantization.Static(2));
    }

    @Test
    void fusedExpertsWithScalesPerExpertByTheirNewestNames() {
        String experts = "model.layers.0.mlp.experts.";
        Checkpoint checkpoint = checkpoint(STATIC)
                .codes(experts + "gate_up_proj", "F8_E4M3", 2, 4, 3)
                .scales(experts + "gate_up_proj_scale_inv", "BF16", new int[] {2, 1, 1}, 1, 2)
                .scales(experts + "gate_up_proj_activation_scale", "BF16", SCALAR, 0.25f)
                .open(folder);
        Weight up = checkpoint.linear(experts + "1.up_proj", 2, 3);
        assertThat(up.scales().at(1, 2, 3)).isEqualTo(2);
        assertThat(up.activation()).isEqualTo(new ActivationQuantization.Static(0.25f));
    }

    @Test
    void fusedExpertsWithScalesPerBlock() {
        String experts = "model.layers.0.mlp.experts.";
        Checkpoint checkpoint = checkpoint("{\"quant_method\": \"fp8\", \"weight_block_size\": [2, 2]}")
                .codes(experts + "gate_up_proj", "F8_E4M3", 2, 4, 4)
                .scales(experts + "gate_up_proj_scale_inv", "F32", new int[] {2, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8)
                .codes(experts + "down_proj", "F8_E4M3", 2, 4, 2)
                .scales(experts + "down_proj_scale_inv", "F32", new int[] {2, 2, 1}, 11, 12, 13, 14)
                .open(folder);
        assertThat(checkpoint.linear(experts + "0.gate_proj", 2, 4).scales().values()).containsExactly(1, 2);
        assertThat(checkpoint.linear(experts + "1.up_proj", 2, 4).scales().values()).containsExactly(7, 8);
        assertThat(checkpoint.linear(experts + "1.down_proj", 4, 2).scales().values()).containsExactly(13, 14);
        assertThat(checkpoint.linear(experts + "1.down_proj", 4, 2).activation()).isEqualTo(new ActivationQuantization.PerGroup(2));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "lm_head ; lm_head ; true",
        "gate ; model.layers.0.mlp.gate ; true",
        "model.layers.0.block_sparse_moe.gate ; model.layers.0.mlp.gate ; true",
        "model.layers.0 ; model.layers.0.mlp.gate ; true",
        "model.layers.0 ; model.layers.01.mlp.gate ; false",
        "*.gate ; model.layers.0.mlp.gate ; true",
        "*gate ; model.layers.0.mlp.gate_proj ; false",
        "model.layers.?.mlp* ; model.layers.1.mlp.gate ; true",
        "re:.*mlp.gate ; model.layers.0.mlp.gate ; true",
        "re:.*block_sparse_moe.gate$ ; model.layers.0.mlp.gate ; true",
        "re:gate ; model.layers.0.mlp.gate ; false",
        "re:.*\\.(q|k)_proj$ ; model.layers.0.self_attn.k_proj ; true",
        "re:.*\\.(q|k)_proj$ ; model.layers.0.self_attn.v_proj ; false",
    })
    void ignoreListsOfEveryDialect(String pattern, String layer, boolean ignored) {
        var json = new ObjectMapper().createObjectNode();
        json.putArray("ignore").add(pattern);
        assertThat(LayerPatterns.read(new ConfigFields(json), "ignore").match(layer)).isEqualTo(ignored);
    }

    @Test
    void givesUpOnAnEndlessPattern() {
        var json = new ObjectMapper().createObjectNode();
        json.putArray("ignore").add("re:(.*.*)*(.*.*)*(.*.*)*x");
        LayerPatterns patterns = LayerPatterns.read(new ConfigFields(json), "ignore");
        assertThatThrownBy(() -> patterns.match("model.layers.0.self_attn.q_proj.q_proj.q_proj")).hasMessageContaining("too long");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gptq", "awq", "bitsandbytes", "compressed-tensors"})
    void refusesIntegersAndNamesTheFlag(String method) {
        TinyCheckpoint tiny = checkpoint("{\"quant_method\": \"%s\", \"load_in_4bit\": true}".formatted(method));
        assertThatThrownBy(() -> tiny.open(folder)).isInstanceOf(CheckpointException.class).hasMessageContaining("--quantization");
    }

    @Test
    void refusesTwoNamesOfOneThing() {
        TinyCheckpoint tiny = checkpoint(STATIC)
                .scales("l.input_scale", "F32", SCALAR, 0.5f)
                .scales("l.act_scale", "F32", SCALAR, 0.5f);
        assertThatThrownBy(() -> tiny.open(folder)).hasMessageContaining("two names");
    }
}
