package io.moebius.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The tiny trained model inside the program, unpacked to a folder of its own so that it can be mapped like any other. */
public final class EmbeddedModel {

    /** The name under which it is served. */
    public static final String NAME = "moebius/demo-moe-fp8";

    private static final List<String> FILES = List.of(
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "model.safetensors");

    private EmbeddedModel() {}

    /** Unpacks into a new folder below {@code temporary}; {@link #delete} it when the program ends. */
    public static Path unpack(Path temporary) {
        try {
            Path folder = Files.createTempDirectory(temporary, "moebius-demo-");
            for (String file : FILES) {
                try (InputStream in = EmbeddedModel.class.getResourceAsStream("/demo-model/" + file)) {
                    Files.copy(in, folder.resolve(file), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            return folder;
        } catch (IOException e) {
            throw new HubException("the embedded model cannot be unpacked to %s: %s; set TMPDIR to a folder with 13 MB of room"
                    .formatted(temporary, e), e);
        }
    }

    /** Removes an unpacked folder; its mapped weights stay valid. */
    public static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            System.getLogger(EmbeddedModel.class.getName()).log(System.Logger.Level.DEBUG, "left behind", e);
        }
    }
}
