package io.moebius.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * A commit's folder in the cache. Tools write the reference to it first and its files one by one, some tools only those that they read
 * themselves. So that a folder is there does not mean that it can be served: what is needed for that is asked for here alone.
 */
record Snapshot(Path folder) {

    /** What a repository may lack where another one is given by a flag. */
    static final String TOKENIZER = "tokenizer.json";

    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final long MAX_INDEX_BYTES = 64 << 20;

    /** What is missing, for a person; empty where nothing is. */
    Optional<String> lack() {
        List<String> needed = needed();
        List<String> missing = needed.stream().filter(name -> !has(name)).toList();
        return missing.isEmpty() ? Optional.empty() : Optional.of("%s has %d of the %d files that serving needs; %s%s missing".formatted(
                folder, needed.size() - missing.size(), needed.size(), missing.getFirst(),
                missing.size() == 1 ? " is" : " and %d more are".formatted(missing.size() - 1)));
    }

    /** The configuration, the tokenizer, and all files that the index names, or where there is no index the one with all weights. */
    private List<String> needed() {
        List<String> names = new ArrayList<>(List.of(CONFIG));
        if (!Files.exists(knownToLack(TOKENIZER))) {
            names.add(TOKENIZER);
        }
        names.addAll(has(INDEX) ? shards() : List.of(WEIGHTS));
        return names;
    }

    /** Where it is noted that the repository has no such file. */
    Path knownToLack(String name) {
        return folder.resolve("../../.no_exist").resolve(folder.getFileName()).resolve(name).normalize();
    }

    /** A link to what is not there counts as nothing. */
    private boolean has(String name) {
        return Files.isRegularFile(folder.resolve(name));
    }

    /** Empty for what is no index; opening the checkpoint says so better. */
    private List<String> shards() {
        Path index = folder.resolve(INDEX);
        TreeSet<String> names = new TreeSet<>();
        try {
            if (Files.size(index) <= MAX_INDEX_BYTES) {
                for (JsonNode shard : new ObjectMapper().readTree(index.toFile()).path("weight_map")) {
                    names.add(shard.asText());
                }
            }
        } catch (IOException unreadable) {
            names.clear();
        }
        names.removeIf(name -> !RemoteRevision.WEIGHTS.matcher(name).matches());
        return List.copyOf(names);
    }
}
