package io.moebius.backend;

import java.util.List;

/** How a KV cache holds its numbers. */
public sealed interface KvStorage {

    /** In the backend's own arithmetic. */
    record Native() implements KvStorage {}

    record BFloat16() implements KvStorage {}

    /** As e4m3 codes of x / scale; one scale for the keys and one for the values of each layer. */
    record Fp8(List<Float> keyScales, List<Float> valueScales) implements KvStorage {
        @Override
        public float keyScale(int layer) {
            return keyScales.get(layer);
        }

        @Override
        public float valueScale(int layer) {
            return valueScales.get(layer);
        }
    }

    /** What a layer's stored keys are multiplied by. */
    default float keyScale(int layer) {
        return 1;
    }

    /** What a layer's stored values are multiplied by. */
    default float valueScale(int layer) {
        return 1;
    }
}
