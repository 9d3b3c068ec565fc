package io.moebius.backend;

import java.util.List;

/** How a KV cache holds its numbers. */
public sealed interface KvStorage {

    /** In the backend's own arithmetic. */
    record Native() implements KvStorage {}

    record BFloat16() implements KvStorage {}

    /** As e4m3 codes of x / scale; one scale for the keys and one for the values of each layer. */
    record Fp8(List<Float> keyScales, List<Float> valueScales) implements KvStorage {}
}
