package io.moebius.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Folders with a tiny checkpoint and its goldens: those of the project, and more where the shared test data lies beside it. */
final class Fixtures {

    private static final List<Path> PLACES =
            List.of(Path.of("../shared/data/fixtures"), Path.of("src/test/resources/fixtures"));

    private Fixtures() {}

    static Stream<Path> all() {
        Map<String, Path> byName = new TreeMap<>();
        for (Path place : PLACES) {
            if (Files.isDirectory(place)) {
                try (Stream<Path> folders = Files.list(place)) {
                    folders.filter(Files::isDirectory).forEach(f -> byName.put(f.getFileName().toString(), f));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
        return byName.values().stream();
    }
}
