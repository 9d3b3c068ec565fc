package io.moebius.checkpoint;

import io.moebius.backend.KvStorage;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Scales of an e4m3 KV cache, by the names that AutoFP8, llm-compressor, ModelOpt and Quark give them; 1 where there is none. */
final class KvScales {

    private static final List<String> KEY = List.of("k_scale", "attn.k_scale", "k_proj.k_scale", "k_proj.output_scale", "kv_scale");
    private static final List<String> VALUE = List.of("v_scale", "attn.v_scale", "v_proj.v_scale", "v_proj.output_scale", "kv_scale");

    private KvScales() {}

    static KvStorage.Fp8 read(int layers, Map<String, RawTensor> tensors) {
        return new KvStorage.Fp8(scales(layers, KEY, tensors), scales(layers, VALUE, tensors));
    }

    private static List<Float> scales(int layers, List<String> names, Map<String, RawTensor> tensors) {
        return IntStream.range(0, layers)
                .mapToObj(layer -> Stream.concat(
                                names.stream().map(name -> "model.layers." + layer + ".self_attn." + name)
                                        .map(name -> Quantization.scalar(name, tensors))
                                        .filter(Objects::nonNull),
                                Stream.of(1f))
                        .findFirst()
                        .orElseThrow())
                .toList();
    }
}
