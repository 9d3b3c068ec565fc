package io.moebius.license;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
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
            String secret = tidy(environment.getOrDefault(name, ""));
            if (!secret.isEmpty()) {
                return secret;
            }
        }
        for (String name : NAMES) {
            String file = tidy(environment.getOrDefault(name + "_FILE", ""));
            if (!file.isEmpty()) {
                return fromFile(name + "_FILE", file);
            }
        }
        throw new LicenseException(
                LicenseException.Kind.MISSING,
                "no container secret: set FRIENDLI_CONTAINER_SECRET or FRIENDLI_CONTAINER_SECRET_FILE; docs/licensing.md says how to get one; the built-in demo model needs none");
    }

    private static String fromFile(String variable, String file) throws LicenseException {
        String secret;
        try (var in = Files.newInputStream(Path.of(file))) {
            secret = tidy(new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8));
        } catch (IOException | InvalidPathException e) {
            throw new LicenseException(
                    LicenseException.Kind.UNREADABLE, variable + " does not name a readable file; check its path and its mode");
        }
        if (secret.isEmpty()) {
            throw new LicenseException(LicenseException.Kind.MISSING, variable + " names an empty file; write the container secret into it");
        }
        return secret;
    }

    /** {@code text} without the container secrets that stand in it: some are given where something else belongs. */
    public static String hide(String text) {
        return text.replaceAll("moebius1\\.eyJ[\\w.-]*", "(a container secret; it belongs into a variable, a file or stdin)");
    }

    /** Without surrounding white space, quotes and byte order marks. */
    public static String tidy(String value) {
        int from = 0;
        int to = value.length();
        while (from < to && around(value.charAt(from))) {
            from++;
        }
        while (from < to && around(value.charAt(to - 1))) {
            to--;
        }
        return value.substring(from, to);
    }

    private static boolean around(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '"' || c == '\'' || c == '\ufeff';
    }
}
