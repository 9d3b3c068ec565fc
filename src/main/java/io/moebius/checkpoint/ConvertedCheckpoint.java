package io.moebius.checkpoint;

import io.moebius.backend.DType;
import io.moebius.backend.KvStorage;
import io.moebius.backend.Weight;
import java.util.Map;

/**
 * A checkpoint whose linear layers are converted one by one as they are asked for, so that of the original no more than one
 * layer is read at a time. Routers, the head, and what the checkpoint's own ignore list names keep their precision, except that
 * {@link WeightBits#SIXTEEN} dequantises everything.
 */
record ConvertedCheckpoint(SafetensorsCheckpoint original, WeightBits bits) implements Checkpoint {

    private static final LayerPatterns KEPT = LayerPatterns.of("lm_head", "*.mlp.gate");
    private static final Map<WeightBits, String> NAMES = Map.of(
            WeightBits.SIXTEEN, "bfloat16", WeightBits.EIGHT, "FP8 with a scale per row", WeightBits.FOUR, "4 bits in groups of 32");

    @Override
    public Weight linear(String name, int rows, int columns) {
        Weight weight = original.linear(name, rows, columns);
        boolean kept = KEPT.match(name) || original.quantization().ignored().match(name);
        return switch (bits) {
            case SIXTEEN -> weight.dtype().bytes() == 2 ? weight : WeightConverter.toBFloat16(weight);
            case EIGHT -> kept || weight.dtype() == DType.E4M3 ? weight : WeightConverter.toE4m3(weight);
            case FOUR -> kept ? weight : WeightConverter.toInt4(weight);
        };
    }

    @Override
    public String format() {
        return original.format() + " as " + NAMES.get(bits);
    }

    @Override
    public ModelConfig config() {
        return original.config();
    }

    @Override
    public long weightBytes() {
        return original.weightBytes();
    }

    /** Layers that keep their precision need more. */
    @Override
    public long leastBytes() {
        return original.elements() * (bits == WeightBits.FOUR ? WeightBits.SIXTEEN : bits).bits() / Byte.SIZE;
    }

    @Override
    public boolean asksForFp8KvCache() {
        return original.asksForFp8KvCache();
    }

    @Override
    public KvStorage.Fp8 fp8KvStorage() {
        return original.fp8KvStorage();
    }

    @Override
    public Weight tensor(String name, int rows, int columns) {
        return original.tensor(name, rows, columns);
    }

    @Override
    public boolean has(String tensor) {
        return original.has(tensor);
    }
}
