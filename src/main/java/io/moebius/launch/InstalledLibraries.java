package io.moebius.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Native libraries that were unpacked when the program was installed. JavaCPP and the tokenizer otherwise unpack theirs into the
 * user's home, which a container with a read-only root doesn't have.
 */
final class InstalledLibraries {

    private InstalledLibraries() {}

    /** Makes both libraries look into the folder {@code lib} beside the executable, where there is one. */
    static void use() {
        try {
            use(Path.of("/proc/self/exe").toRealPath().resolveSibling("lib"));
        } catch (IOException unreadable) {
            // No /proc: they unpack as usual.
        }
    }

    static void use(Path folder) {
        if (!Files.isDirectory(folder.resolve("tokenizers"))) {
            return;
        }
        System.setProperty("ENGINE_CACHE_DIR", folder.toString());
        System.setProperty("org.bytedeco.javacpp.pathsFirst", "true");
        System.setProperty("java.library.path", folder.toString());
    }
}
