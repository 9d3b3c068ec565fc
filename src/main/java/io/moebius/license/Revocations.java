package io.moebius.license;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Secrets that are no longer valid: {"revoked": [ID, ...]} in a file or at an https address. An address that cannot be reached is answered
 * by the last list that came from it; where there is none, nothing is revoked.
 *
 * @param warning what a person should know about where the list is from
 */
public record Revocations(Set<String> ids, Optional<String> warning) {

    public static final Revocations NONE = new Revocations(Set.of(), Optional.empty());

    private static final int MOST_BYTES = 1 << 20;
    private static final int PATIENCE_MILLIS = 5_000;

    /**
     * @param source a file's path or an https address
     * @param cache  file that keeps the last list of an address
     * @throws LicenseException UNREADABLE for a file that cannot be read, and for what is no list
     */
    public static Revocations read(String source, Path cache) throws LicenseException {
        if (!source.startsWith("https://")) {
            if (source.contains("://")) {
                throw unreadable(source, "only https addresses are asked");
            }
            try {
                return new Revocations(parse(limited(Files.newInputStream(Path.of(source))), source), Optional.empty());
            } catch (IOException | java.nio.file.InvalidPathException e) {
                throw unreadable(source, "it cannot be read");
            }
        }
        byte[] list;
        try {
            list = fetch(source);
        } catch (IOException | IllegalArgumentException e) {
            return cached(source, cache);
        }
        Set<String> ids = parse(list, source);
        try {
            Files.createDirectories(cache.getParent());
            Files.write(cache, list);
        } catch (IOException unwritable) {
            return new Revocations(ids, Optional.of("the list of revoked secrets cannot be kept in " + cache));
        }
        return new Revocations(ids, Optional.empty());
    }

    private static Revocations cached(String source, Path cache) throws LicenseException {
        try {
            return new Revocations(
                    parse(limited(Files.newInputStream(cache)), cache.toString()),
                    Optional.of(source + " cannot be reached; its list of revoked secrets as of " + Files.getLastModifiedTime(cache) + " is used"));
        } catch (IOException e) {
            return new Revocations(Set.of(), Optional.of(source + " cannot be reached and no earlier list is there; no secret counts as revoked"));
        }
    }

    private static byte[] fetch(String source) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) URI.create(source).toURL().openConnection();
        connection.setInstanceFollowRedirects(false);
        connection.setConnectTimeout(PATIENCE_MILLIS);
        connection.setReadTimeout(PATIENCE_MILLIS);
        if (connection.getResponseCode() != HttpURLConnection.HTTP_OK) {
            throw new IOException("HTTP status " + connection.getResponseCode());
        }
        return limited(connection.getInputStream());
    }

    private static byte[] limited(InputStream in) throws IOException {
        try (in) {
            return in.readNBytes(MOST_BYTES);
        }
    }

    static Set<String> parse(byte[] list, String source) throws LicenseException {
        JsonNode revoked;
        try {
            revoked = Json.read(list).path("revoked");
        } catch (LicenseException e) {
            throw unreadable(source, "it is not JSON");
        }
        if (!revoked.isArray()) {
            throw unreadable(source, "it has no list \"revoked\"");
        }
        Set<String> ids = new HashSet<>();
        for (JsonNode id : revoked) {
            if (!id.isTextual() || !id.textValue().matches("[0-9a-f]{32}")) {
                throw unreadable(source, "it holds what is no id of a secret");
            }
            ids.add(id.textValue());
        }
        return Set.copyOf(ids);
    }

    private static LicenseException unreadable(String source, String why) {
        return new LicenseException(
                LicenseException.Kind.UNREADABLE, "--license-revocations " + source.replaceAll("\\p{Cntrl}", "?") + ": " + why);
    }
}
