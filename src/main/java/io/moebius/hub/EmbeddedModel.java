package io.moebius.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** The tiny trained model inside the program, unpacked to a folder of its own so that it can be mapped like any other. */
public final class EmbeddedModel {

    /** The name under which it is served. */
    public static final String NAME = "moebius/demo-moe-fp8";

    private static final String WEIGHTS = "model.safetensors";
    private static final String WEIGHTS_SHA256 = "226108a4959d8d9d8f320371692e3ada476ca9da52f4c85de4eaedc3aaa46607";

    private static final List<String> FILES = List.of(
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            WEIGHTS);

    private EmbeddedModel() {}

    /** Whether the weights in {@code folder} are this model's and no other's. */
    public static boolean isIn(Path folder) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(folder.resolve(WEIGHTS)));
            return HexFormat.of().formatHex(digest).equals(WEIGHTS_SHA256);
        } catch (IOException e) {
            return false;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

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
