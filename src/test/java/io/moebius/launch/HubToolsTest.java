package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubToolsTest {

    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final Path MODEL = Path.of("src/main/resources/demo-model");

    @TempDir
    private Path cache;

    private Path snapshot;

    @BeforeEach
    void putAModelIntoTheCache() throws IOException {
        Path repository = cache.resolve("models--org--name");
        snapshot = Files.createDirectories(repository.resolve("snapshots").resolve(COMMIT));
        Files.createDirectories(repository.resolve("refs"));
        Files.writeString(repository.resolve("refs/main"), COMMIT);
        try (var files = Files.list(MODEL)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, snapshot.resolve(file.getFileName()));
            }
        }
    }

    private String models() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        var request = (CommandLine.Request.Run) CommandLine.parse(new String[] {"models"}, Map.of());
        assertThat(request.subcommand().action().run(request.options(), new Subcommand.Shell(
                        Map.of("HF_HUB_CACHE", cache.toString()), InputStream.nullInputStream(), new PrintStream(out),
                        new PrintStream(OutputStream.nullOutputStream()))))
                .isZero();
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void listsWhatCanBeServed() {
        assertThat(models()).containsPattern("org/name +main +[0-9.]+ MiB  serves as FriendliAI FP8\n");
    }

    @Test
    void saysWhyAModelCannotBeServed() throws IOException {
        Files.writeString(snapshot.resolve("config.json"), "{\"architectures\": [\"GPT2LMHeadModel\"]}");
        assertThat(models()).contains("cannot be served: ", "GPT2LMHeadModel");
    }

    @Test
    void saysWhatOfAModelIsMissing() throws IOException {
        Files.delete(snapshot.resolve("tokenizer.json"));
        assertThat(models()).contains("fetched in part: ", "2 of the 3 files", "tokenizer.json is missing");
    }
}
