package io.moebius.license;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Where the container secret stands. */
public final class SecretSource {

    private static final List<String> NAMES = List.of("FRIENDLI_CONTAINER_SECRET", "MOEBIUS_CONTAINER_SECRET");
    private static final int MOST_BYTES = 8192;

    private SecretSource() {}

    /** The first that is set: the variables, then the files that their _FILE twins name. */
    public static String read(Map<String, String> environment) throws LicenseException {
        for (String name : NAMES) {
            String value = tidy(environment.getOrDefault(name, ""));
            if (!value.isEmpty()) {
                return value;
            }
        }
        for (String name : NAMES) {
            String file = environment.getOrDefault(name + "_FILE", "");
            if (!file.isBlank()) {
                return fromFile(name + "_FILE", file);
            }
        }
        throw new LicenseException(
                LicenseException.Kind.MISSING,
                "no container secret: set FRIENDLI_CONTAINER_SECRET or FRIENDLI_CONTAINER_SECRET_FILE; docs/licensing.md says how to get one; the built-in demo model needs none");
    }

    private static String fromFile(String variable, String file) throws LicenseException {
        try (var in = Files.newInputStream(Path.of(file))) {
            return tidy(new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8));
        } catch (IOException | java.nio.file.InvalidPathException e) {
            throw new LicenseException(
                    LicenseException.Kind.UNREADABLE, variable + " does not name a readable file; check its path and its mode");
        }
    }

    /** Without surrounding white space and quotes. */
    public static String tidy(String value) {
        return value.strip().replaceAll("^([\"'])(.*)\\1$", "$2").strip();
    }
}
