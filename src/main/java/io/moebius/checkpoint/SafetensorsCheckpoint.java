package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.backend.DType;
import io.moebius.backend.KvStorage;
import io.moebius.backend.Weight;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/**
 * A folder with config.json and safetensors files.
 *
 * @param tensors by canonical name
 */
record SafetensorsCheckpoint(
        ModelConfig config, Quantization quantization, Map<String, RawTensor> tensors, long weightBytes)
        implements Checkpoint {

    static SafetensorsCheckpoint open(Path folder) {
        Path config = folder.resolve("config.json");
        if (!Files.isRegularFile(config)) {
            throw new CheckpointException("%s has no config.json; a model is a folder with config.json, tokenizer.json and safetensors files"
                    .formatted(folder));
        }
        JsonNode json = JsonFile.readObject(config);
        ModelConfig model = ConfigReader.read(folder, json);
        Map<String, RawTensor> files = Shards.map(folder);
        Map<String, RawTensor> tensors = TensorNames.canonical(files);
        if (model.tiedEmbeddings()) {
            // Some tools store the head all the same; nobody reads it.
            tensors.keySet().removeIf(name -> name.startsWith("lm_head."));
        }
        Path modelOpt = folder.resolve("hf_quant_config.json");
        Quantization quantization =
                Quantization.read(json, Files.isRegularFile(modelOpt) ? JsonFile.readObject(modelOpt) : null, tensors);
        return new SafetensorsCheckpoint(model, quantization, tensors, bytes(files));
    }

    @Override
    public String format() {
        return quantization instanceof Unquantized
                ? tensor("model.embed_tokens.weight", config.vocabulary(), config.hidden()).dtype().name().toLowerCase(Locale.ROOT)
                : quantization.description();
    }

    private static long bytes(Map<String, RawTensor> files) {
        return files.values().stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
    }

    @Override
    public long leastBytes() {
        return tensors.values().stream().mapToLong(tensor -> Math.min(tensor.data().byteSize(), 2 * tensor.elements())).sum();
    }

    /** Of all tensors. */
    long elements() {
        return tensors.values().stream().mapToLong(RawTensor::elements).sum();
    }

    @Override
    public boolean asksForFp8KvCache() {
        return quantization.kvCache();
    }

    @Override
    public KvStorage.Fp8 fp8KvStorage() {
        return KvScales.read(config.layers(), tensors);
    }

    @Override
    public Weight linear(String name, int rows, int columns) {
        RawTensor raw = find(name + ".weight", rows, columns);
        if (!isFp8(raw)) {
            return plain(raw, rows, columns);
        }
        return new Weight(
                raw.name(),
                DType.E4M3,
                rows,
                columns,
                raw.data(),
                quantization.scales(name, rows, columns, tensors),
                quantization.activation(name, tensors));
    }

    /** What the file holds decides, not the ignore lists of the configuration: they are written in too many dialects. */
    private boolean isFp8(RawTensor raw) {
        boolean bytes = raw.type().equals("I8") || raw.type().startsWith("F8_");
        if (bytes && !quantization.storedTypes().contains(raw.type())) {
            throw new CheckpointException("tensor %s has type %s, which a checkpoint that is %s does not have"
                    .formatted(raw.name(), raw.type(), quantization.description()));
        }
        return bytes;
    }

    @Override
    public Weight tensor(String name, int rows, int columns) {
        return plain(find(name, rows, columns), rows, columns);
    }

    @Override
    public boolean has(String tensor) {
        return tensors.containsKey(tensor);
    }

    private RawTensor find(String name, int rows, int columns) {
        RawTensor raw = tensors.get(name);
        if (raw == null) {
            throw new CheckpointException("tensor %s is missing".formatted(name));
        }
        if (!raw.hasShape(rows, columns) && !(rows == 1 && raw.hasShape(columns))) {
            throw new CheckpointException("tensor %s has shape %s; config.json asks for [%d, %d]"
                    .formatted(name, Arrays.toString(raw.shape()), rows, columns));
        }
        return raw;
    }

    private static Weight plain(RawTensor raw, int rows, int columns) {
        DType type = switch (raw.type()) {
            case "F32" -> DType.F32;
            case "F16" -> DType.F16;
            case "BF16" -> DType.BF16;
            default -> throw new CheckpointException(
                    "tensor %s has type %s; allowed here: F32, F16 and BF16".formatted(raw.name(), raw.type()));
        };
        return Weight.plain(raw.name(), type, rows, columns, raw.data());
    }
}
