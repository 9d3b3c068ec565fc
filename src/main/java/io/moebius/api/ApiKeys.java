package io.moebius.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.moebius.observe.Metrics;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.LongSupplier;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Who may use the web port. The file of --api-keys-file holds {"keys": [{"name", "sha256", "requests_per_minute", "concurrent"}]}, the
 * digests in hex and the limits optional; it is read again when it changes. Without a file everybody may.
 */
@Singleton
public final class ApiKeys {

    /** What {@link #isName} allows, for people. */
    public static final String NAMES = "1 to 64 letters, digits, dots, dashes and underscores";

    private static final ObjectMapper JSON =
            new ObjectMapper(JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final List<String> FIELDS = List.of("name", "sha256", "requests_per_minute", "concurrent");
    private static final long MAX_BYTES = 4 << 20;
    private static final int MAX_LIMIT = 1_000_000;
    private static final long LOOK_NANOS = 1_000_000_000;

    private final Optional<Path> file;
    private final Metrics metrics;
    private final LongSupplier nanoTime;
    private final ConcurrentMap<String, ApiKeyUse> uses = new ConcurrentHashMap<>();
    private volatile List<Key> keys = List.of();
    private volatile FileTime read;
    private volatile long looked;

    /**
     * @param requestsPerMinute 0 for no limit
     * @param concurrent        requests at once, 0 for no limit
     */
    record Key(String name, byte[] sha256, int requestsPerMinute, int concurrent) {}

    @Inject
    ApiKeys(@ConfigProperty(name = "moebius.api-keys-file") Optional<String> file, Metrics metrics) {
        this(file.map(Path::of), metrics, System::nanoTime);
    }

    ApiKeys(Optional<Path> file, Metrics metrics, LongSupplier nanoTime) {
        this.file = file;
        this.metrics = metrics;
        this.nanoTime = nanoTime;
    }

    boolean wanted() {
        return file.isPresent();
    }

    /**
     * Reads the file for the first time.
     *
     * @throws IllegalArgumentException with one line if it cannot be used
     */
    public void open() {
        if (file.isPresent()) {
            looked = nanoTime.getAsLong();
            read = modified();
            try {
                keys = parse(Files.size(file.get()) > MAX_BYTES ? new byte[0] : Files.readAllBytes(file.get()));
            } catch (IOException e) {
                throw unreadable(e);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("--api-keys-file %s: %s".formatted(file.get(), e.getMessage()));
            }
        }
    }

    /**
     * Lets a request in.
     *
     * @param presented what the client gives as its key, or null
     * @return to be closed when the request has been answered
     * @throws ApiException 401 for no key or an unknown one, 429 beyond its limits
     */
    ApiKeyUse.Permit admit(String presented) {
        reread();
        Key key = find(presented);
        if (key == null) {
            metrics.keyUsed("", "refused");
            throw new ApiException(
                    401, "authentication_error",
                    presented == null
                            ? "no API key; send one as \"Authorization: Bearer KEY\" or \"X-Api-Key: KEY\""
                            : "the API key is not known; ask the server's operator for one",
                    null, "invalid_api_key");
        }
        try {
            ApiKeyUse.Permit permit = uses.computeIfAbsent(key.name(), name -> new ApiKeyUse()).enter(key, nanoTime.getAsLong());
            metrics.keyUsed(key.name(), "taken");
            return permit;
        } catch (ApiException e) {
            metrics.keyUsed(key.name(), "limited");
            throw e;
        }
    }

    /** Compares with every key, and every byte of each, whatever is found. */
    private Key find(String presented) {
        byte[] digest = sha256(presented == null ? "" : presented);
        Key found = null;
        for (Key key : keys) {
            if (MessageDigest.isEqual(key.sha256(), digest) && presented != null) {
                found = key;
            }
        }
        return found;
    }

    private void reread() {
        long now = nanoTime.getAsLong();
        if (now - looked < LOOK_NANOS) {
            return;
        }
        looked = now;
        try {
            if (!modified().equals(read)) {
                open();
            }
        } catch (IllegalArgumentException e) {
            System.getLogger(ApiKeys.class.getName()).log(
                    System.Logger.Level.WARNING, "the API keys stay as they are: " + e.getMessage());
        }
    }

    private FileTime modified() {
        try {
            return Files.getLastModifiedTime(file.orElseThrow());
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private IllegalArgumentException unreadable(IOException e) {
        return new IllegalArgumentException("--api-keys-file %s cannot be read (%s)".formatted(file.orElseThrow(), reason(e)));
    }

    /** Why the file cannot be read or written, for people. */
    public static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> "no such file or folder";
            case AccessDeniedException denied -> "permission denied";
            case FileSystemException other when other.getReason() != null -> other.getReason();
            default -> String.valueOf(e.getMessage());
        };
    }

    /** As the file keeps keys: the digest of what a client presents. */
    public static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static List<Key> parse(byte[] bytes) {
        JsonNode list;
        try {
            list = JSON.readTree(bytes).path("keys");
        } catch (IOException e) {
            throw new IllegalArgumentException("it is not JSON");
        }
        if (!list.isArray()) {
            throw new IllegalArgumentException("it has no list \"keys\"");
        }
        List<Key> keys = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (JsonNode key : list) {
            String name = key.path("name").asText();
            String digest = key.path("sha256").asText();
            if (!isName(name) || !names.add(name)) {
                throw new IllegalArgumentException("a name is missing, given twice, or not of " + NAMES);
            }
            if (!digest.matches("[0-9a-f]{64}")) {
                throw new IllegalArgumentException("sha256 of key %s is no SHA-256 in hex".formatted(name));
            }
            key.fieldNames().forEachRemaining(field -> {
                if (!FIELDS.contains(field)) {
                    throw new IllegalArgumentException("key %s has the field %s; allowed: %s".formatted(name, field.replaceAll("\\p{Cntrl}", "?"), String.join(", ", FIELDS)));
                }
            });
            keys.add(new Key(name, HexFormat.of().parseHex(digest), limit(key, "requests_per_minute"), limit(key, "concurrent")));
        }
        return List.copyOf(keys);
    }

    public static boolean isName(String text) {
        return text.matches("[A-Za-z0-9._-]{1,64}");
    }

    private static int limit(JsonNode key, String field) {
        JsonNode value = key.path(field);
        if (value.isMissingNode()) {
            return 0;
        }
        if (!value.isInt() || value.intValue() < 1 || value.intValue() > MAX_LIMIT) {
            throw new IllegalArgumentException("%s of key %s is not from 1 to %d".formatted(field, key.path("name").asText(), MAX_LIMIT));
        }
        return value.intValue();
    }
}
