package io.moebius.checkpoint;

import io.moebius.backend.KvStorage;
import io.moebius.backend.Weight;
import java.util.function.BiFunction;

/**
 * A checkpoint whose linear layers are others.
 *
 * @param change of a layer's name and weight to the weight that it has instead
 */
public record ChangedLayers(Checkpoint original, BiFunction<String, Weight, Weight> change) implements Checkpoint {

    @Override
    public Weight linear(String name, int rows, int columns) {
        return change.apply(name, original.linear(name, rows, columns));
    }

    @Override
    public Weight tensor(String name, int rows, int columns) {
        return original.tensor(name, rows, columns);
    }

    @Override
    public boolean has(String tensor) {
        return original.has(tensor);
    }

    @Override
    public ModelConfig config() {
        return original.config();
    }

    @Override
    public String format() {
        return original.format();
    }

    @Override
    public long weightBytes() {
        return original.weightBytes();
    }

    @Override
    public long leastBytes() {
        return original.leastBytes();
    }

    @Override
    public boolean asksForFp8KvCache() {
        return original.asksForFp8KvCache();
    }

    @Override
    public KvStorage.Fp8 fp8KvStorage() {
        return original.fp8KvStorage();
    }
}
