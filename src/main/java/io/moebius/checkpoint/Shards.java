package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.regex.Pattern;

/** All tensors of a checkpoint folder: of model.safetensors, or of the shards that model.safetensors.index.json names. */
final class Shards {

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,200}\\.safetensors");

    private Shards() {}

    static Map<String, RawTensor> map(Path folder) {
        if (Files.exists(folder.resolve(INDEX))) {
            return indexed(folder);
        }
        if (Files.exists(folder.resolve(SINGLE))) {
            return SafetensorsFile.map(folder.resolve(SINGLE));
        }
        throw new CheckpointException(
                "%s holds neither %s nor %s; only safetensors checkpoints are loaded".formatted(folder, SINGLE, INDEX));
    }

    private static Map<String, RawTensor> indexed(Path folder) {
        JsonNode weightMap = JsonFile.readObject(folder.resolve(INDEX)).path("weight_map");
        if (!weightMap.isObject() || weightMap.isEmpty()) {
            throw new CheckpointException(INDEX + " has no weight_map with tensors");
        }
        Map<String, Map<String, RawTensor>> shards = new HashMap<>();
        Map<String, RawTensor> tensors = new HashMap<>();
        Iterator<Map.Entry<String, JsonNode>> fields = weightMap.fields();
        while (fields.hasNext()) {
            Map.Entry<String, JsonNode> field = fields.next();
            String shard = field.getValue().isTextual() ? field.getValue().textValue() : "";
            if (!FILE_NAME.matcher(shard).matches()) {
                throw new CheckpointException("%s puts tensor %s into %s; allowed: the name of a .safetensors file beside it"
                        .formatted(INDEX, field.getKey(), field.getValue()));
            }
            RawTensor tensor = shards.computeIfAbsent(shard, name -> mapShard(folder, name)).get(field.getKey());
            if (tensor == null) {
                throw new CheckpointException("%s puts tensor %s into %s, which does not hold it"
                        .formatted(INDEX, field.getKey(), shard));
            }
            tensors.put(field.getKey(), tensor);
        }
        shards.forEach((shard, content) -> content.keySet().forEach(name -> {
            if (!weightMap.path(name).asText().equals(shard)) {
                throw new CheckpointException("%s holds tensor %s, which %s %s".formatted(
                        shard, name, INDEX, weightMap.has(name) ? "puts into another shard" : "does not name"));
            }
        }));
        return tensors;
    }

    private static Map<String, RawTensor> mapShard(Path folder, String name) {
        if (!Files.exists(folder.resolve(name))) {
            throw new CheckpointException("%s names %s, which is not in %s; fetch the checkpoint again"
                    .formatted(INDEX, name, folder));
        }
        return SafetensorsFile.map(folder.resolve(name));
    }
}
