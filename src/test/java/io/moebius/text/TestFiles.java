package io.moebius.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;

/** Tokenizer folders made from the compressed test resources, and vectors. */
final class TestFiles {

    static final Path TEXT = Path.of("src/test/resources/text");

    private TestFiles() {}

    /** A model folder with Mixtral's first files, or its newer ones (Metaspace, template with system role). */
    static ModelText mistral(Path temporary, boolean newer) {
        try {
            Path folder = Files.createDirectories(temporary.resolve(newer ? "newer" : "older"));
            String tokenizer = newer ? "tokenizer.metaspace.json.gz" : "tokenizer.json.gz";
            unzip(TEXT.resolve("mistral-v1").resolve(tokenizer), folder.resolve("tokenizer.json"));
            Files.copy(
                    TEXT.resolve("mistral-v1").resolve(newer ? "tokenizer_config.system.json" : "tokenizer_config.json"),
                    folder.resolve("tokenizer_config.json"));
            return ModelText.open(folder, null);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static void unzip(Path from, Path to) throws IOException {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(from))) {
            Files.copy(in, to);
        }
    }

    static JsonNode json(Path file) {
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).intValue()).toArray();
    }

    static List<ChatMessage> messages(JsonNode array) {
        List<ChatMessage> messages = new ArrayList<>();
        array.forEach(m -> messages.add(new ChatMessage(m.get("role").asText(), m.get("content").asText())));
        return messages;
    }
}
