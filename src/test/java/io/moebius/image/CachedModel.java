package io.moebius.image;

import io.moebius.license.TrialSecret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The demo model as the Hugging Face cache keeps a downloaded repository. */
final class CachedModel {

    private static final String REVISION = "0123456789abcdef0123456789abcdef01234567";

    /** Where a container finds the key that {@link #license} put into the cache. */
    static final String LICENSE_KEY = "/root/.cache/huggingface/license-key.pub.json";

    private CachedModel() {}

    /** Puts the public key of {@code secret} beside the models. */
    static void license(Path cache, TrialSecret secret) throws IOException {
        Files.copy(secret.publicKey(), cache.resolve("license-key.pub.json"));
    }

    /** @param cache what is mounted at /root/.cache/huggingface */
    static void put(Path cache, String repository) throws IOException {
        Path folder = cache.resolve("hub/models--" + repository.replace("/", "--"));
        Path snapshot = Files.createDirectories(folder.resolve("snapshots").resolve(REVISION));
        Files.writeString(Files.createDirectories(folder.resolve("refs")).resolve("main"), REVISION);
        try (Stream<Path> files = Files.list(Path.of("src/main/resources/demo-model"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, snapshot.resolve(file.getFileName().toString()));
            }
        }
    }
}
