package io.moebius.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small JSON file of a checkpoint, read with limits. */
final class JsonFile {

    private static final long MAX_BYTES = 64 << 20;
    private static final ObjectMapper STRICT = new ObjectMapper(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(64).build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private JsonFile() {}

    static JsonNode readObject(Path path) {
        String file = path.getFileName().toString();
        try {
            if (Files.size(path) > MAX_BYTES) {
                throw new CheckpointException("%s has %d bytes; at most %d are read".formatted(file, Files.size(path), MAX_BYTES));
            }
            JsonNode node = STRICT.readTree(Files.readAllBytes(path));
            if (!node.isObject()) {
                throw new CheckpointException(file + " must hold a JSON object");
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new CheckpointException("%s is not valid JSON: %s".formatted(file, SafetensorsHeader.firstLine(e)), e);
        } catch (IOException e) {
            throw new CheckpointException("%s cannot be read: %s".formatted(file, e instanceof AccessDeniedException ? "permission denied" : e), e);
        }
    }
}
