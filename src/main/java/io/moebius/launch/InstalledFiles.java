package io.moebius.launch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What lies beside the native executable: its libraries and the demo model. Packed into it they would have to be unpacked at each
 * start, for which a container with a read-only root has no place.
 */
record InstalledFiles(Path folder) {

    /** The files beside this executable; none on the Java virtual machine, which unpacks its own. */
    static Optional<InstalledFiles> find() {
        try {
            return of(Path.of("/proc/self/exe").toRealPath().getParent());
        } catch (IOException noProc) {
            return Optional.empty();
        }
    }

    static Optional<InstalledFiles> of(Path folder) {
        return Files.isDirectory(folder.resolve("lib/tokenizers")) ? Optional.of(new InstalledFiles(folder)) : Optional.empty();
    }

    /** Makes JavaCPP and the tokenizer load their libraries from here; call it before either is touched. */
    void useLibraries() {
        String libraries = libraries().toString();
        System.setProperty("ENGINE_CACHE_DIR", libraries);
        System.setProperty("org.bytedeco.javacpp.pathsFirst", "true");
        System.setProperty("java.library.path", libraries);
    }

    /** The native libraries' folder, which holds the CUDA kernels, too. */
    Path libraries() {
        return folder.resolve("lib");
    }

    /** The demo model's folder. */
    Path demoModel() {
        return folder.resolve("demo-model");
    }
}
