package io.moebius.license;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.net.Connections;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Secrets that are no longer valid: {"revoked": [ID, ...]} in a file or at an https address. An address that gives no list is answered
 * by the last one that came from it; where there is none, nothing is revoked.
 *
 * @param warning what a person should know about where the list is from
 */
public record Revocations(Set<String> ids, Optional<String> warning) {

    public static final Revocations NONE = new Revocations(Set.of(), Optional.empty());

    private static final int PATIENCE_MILLIS = 5_000;

    /**
     * @param source a file's path or an https address
     * @param folder keeps the last list of each address
     * @param connections by which addresses are asked
     * @throws LicenseException UNREADABLE for a file that cannot be read or is no list, and for other addresses
     */
    public static Revocations read(String source, Path folder, Connections connections) throws LicenseException {
        if (source.startsWith("https://")) {
            UUID name = UUID.nameUUIDFromBytes(source.getBytes(StandardCharsets.UTF_8));
            return atAddress(source, folder.resolve("moebius-revoked-" + name + ".json"), connections);
        }
        if (source.contains("://")) {
            throw unreadable(source, "only https addresses are asked");
        }
        try {
            return new Revocations(parse(Json.bytes(Files.newInputStream(Path.of(source))), source), Optional.empty());
        } catch (IOException | InvalidPathException e) {
            throw unreadable(source, "it cannot be read");
        }
    }

    private static Revocations atAddress(String address, Path cache, Connections connections) {
        byte[] list;
        Set<String> ids;
        try {
            list = ask(address, connections);
            ids = parse(list, address);
        } catch (LicenseException e) {
            return cached(e.getMessage(), cache);
        }
        try {
            Files.createDirectories(cache.getParent());
            Path next = Files.createTempFile(cache.getParent(), ".moebius-revoked", "");
            Files.write(next, list);
            Files.move(next, cache, StandardCopyOption.ATOMIC_MOVE);
            return new Revocations(ids, Optional.empty());
        } catch (IOException e) {
            return new Revocations(ids, Optional.of("the list of revoked secrets cannot be kept in " + cache.getParent()));
        }
    }

    private static Revocations cached(String why, Path cache) {
        try {
            Set<String> ids = parse(Json.bytes(Files.newInputStream(cache)), cache.toString());
            return new Revocations(ids, Optional.of(why + "; its list as of " + Files.getLastModifiedTime(cache) + " is used"));
        } catch (IOException | LicenseException e) {
            return new Revocations(Set.of(), Optional.of(why + "; no earlier list is there, so no secret counts as revoked"));
        }
    }

    /** A thread of its own, because name servers and an answer in drops would outlast the connection's own limits. */
    private static byte[] ask(String address, Connections connections) throws LicenseException {
        HttpURLConnection connection;
        try {
            connection = connections.open(URI.create(address));
        } catch (IOException | IllegalArgumentException e) {
            throw unreadable(address, e.getMessage());
        }
        FutureTask<byte[]> answer = new FutureTask<>(() -> fetch(connection));
        Thread.ofVirtual().start(answer);
        try {
            return answer.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw unreadable(address, "it does not answer");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unreadable(address, "asking it was interrupted");
        }
    }

    private static byte[] fetch(HttpURLConnection connection) throws IOException {
        connection.setInstanceFollowRedirects(false);
        connection.setConnectTimeout(PATIENCE_MILLIS);
        connection.setReadTimeout(PATIENCE_MILLIS);
        if (connection.getResponseCode() != HttpURLConnection.HTTP_OK) {
            throw new IOException("HTTP status " + connection.getResponseCode());
        }
        return Json.bytes(connection.getInputStream());
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
