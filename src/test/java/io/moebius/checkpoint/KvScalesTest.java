package io.moebius.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Scales of the KV cache are found by every name, and asked for in every way. */
class KvScalesTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"k_scale,v_scale", "attn.k_scale,attn.v_scale", "k_proj.k_scale,v_proj.v_scale", "k_proj.output_scale,v_proj.output_scale"})
    void findsScalesByEveryName(String key, String value) {
        Checkpoint checkpoint = new TinyCheckpoint()
                .scales("model.layers.1.self_attn." + key, "F32", new int[0], 0.5f)
                .scales("model.layers.1.self_attn." + value, "BF16", new int[] {1}, 2)
                .open(folder);
        assertThat(checkpoint.fp8KvStorage().keyScales()).containsExactly(1f, 0.5f, 1f, 1f);
        assertThat(checkpoint.fp8KvStorage().valueScales()).containsExactly(1f, 2f, 1f, 1f);
    }

    @Test
    void anOldSingleScaleServesBoth() {
        Checkpoint checkpoint =
                new TinyCheckpoint().scales("model.layers.0.self_attn.kv_scale", "F32", new int[0], 0.5f).open(folder);
        assertThat(checkpoint.fp8KvStorage().keyScales()).startsWith(0.5f);
        assertThat(checkpoint.fp8KvStorage().valueScales()).startsWith(0.5f);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "{'quant_method':'fp8','kv_cache_scheme':'static'} | true",
        "{'quant_method':'fp8'} | false",
        "{'quant_method':'modelopt','quant_algo':'FP8','kv_cache_quant_algo':'FP8'} | true",
        "{'quant_method':'modelopt','quant_algo':'FP8','kv_cache_scheme':{'num_bits':8,'type':'float'}} | true",
        "{'quant_method':'modelopt','quant_algo':'FP8','kv_cache_quant_algo':null} | false",
        "{'quant_method':'compressed-tensors','format':'float-quantized','config_groups':{'g':{'weights':{'num_bits':8,'type':'float'}}},'kv_cache_scheme':{'num_bits':8,'type':'float'}} | true",
        "{'quant_method':'compressed-tensors','format':'float-quantized','config_groups':{'g':{'weights':{'num_bits':8,'type':'float'}}},'kv_cache_scheme':{'num_bits':8,'type':'int'}} | false",
        "{'quant_method':'compressed-tensors','format':'float-quantized','config_groups':{'g':{'weights':{'num_bits':8,'type':'float'}}},'kv_cache_scheme':null} | false",
        "{'quant_method':'quark','global_quant_config':{'weight':{'dtype':'fp8_e4m3','qscheme':'per_tensor'}},'export':{'kv_cache_group':['*k_proj','*v_proj']}} | true",
        "{'quant_method':'quark','global_quant_config':{'weight':{'dtype':'fp8_e4m3','qscheme':'per_tensor'}},'kv_cache_quant_config':{'*k_proj':{}}} | true",
        "{'quant_method':'quark','global_quant_config':{'weight':{'dtype':'fp8_e4m3','qscheme':'per_tensor'}},'kv_cache_quant_config':{},'export':{'kv_cache_group':[]}} | false",
        "{'quant_method':'fbgemm_fp8'} | false",
    })
    void theCheckpointSaysWhetherItWantsThem(String quantization, boolean asks) {
        Checkpoint checkpoint =
                new TinyCheckpoint().config("quantization_config", quantization.replace('\'', '"')).open(folder);
        assertThat(checkpoint.asksForFp8KvCache()).isEqualTo(asks);
    }
}
