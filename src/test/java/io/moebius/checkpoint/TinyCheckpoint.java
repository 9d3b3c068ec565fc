package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Writes a folder with a few tensors and the configuration of a Mixtral. */
final class TinyCheckpoint {

    private static final ObjectMapper JSON = new ObjectMapper();
    private final ObjectNode header = JSON.createObjectNode();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private final ObjectNode config;

    TinyCheckpoint() {
        try {
            config = (ObjectNode) JSON.readTree(Path.of("src/test/resources/fixtures/m-fp8-dynamic/config.json").toFile());
            config.remove("quantization_config");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    TinyCheckpoint config(String key, String json) {
        try {
            config.set(key, JSON.readTree(json));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    TinyCheckpoint tensor(String name, String type, int[] shape, byte... bytes) {
        ObjectNode entry = header.putObject(name);
        entry.put("dtype", type);
        for (int dimension : shape) {
            entry.withArray("shape").add(dimension);
        }
        entry.withArray("shape");
        entry.putArray("data_offsets").add(data.size()).add(data.size() + bytes.length);
        data.writeBytes(bytes);
        return this;
    }

    /** Codes 0, 1, 2, ... */
    TinyCheckpoint codes(String name, String type, int... shape) {
        byte[] codes = new byte[Arrays.stream(shape).reduce(1, Math::multiplyExact)];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (i % 120);
        }
        return tensor(name, type, shape, codes);
    }

    TinyCheckpoint scales(String name, String type, int[] shape, float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * RawTensor.elementBytes(type)).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            switch (type) {
                case "F32" -> bytes.putFloat(value);
                case "F16" -> bytes.putShort(Float.floatToFloat16(value));
                default -> bytes.putShort((short) (Float.floatToRawIntBits(value) >> 16));
            }
        }
        return tensor(name, type, shape, bytes.array());
    }

    Checkpoint open(Path folder) {
        try {
            Files.writeString(folder.resolve("config.json"), config.toString());
            byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
            Files.write(folder.resolve("model.safetensors"), ByteBuffer.allocate(8 + json.length + data.size())
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .put(json)
                    .put(data.toByteArray())
                    .array());
            return Checkpoint.open(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
