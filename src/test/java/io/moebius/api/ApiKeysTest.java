package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.moebius.observe.Metrics;
import io.moebius.observe.TestMetrics;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ApiKeysTest {

    @TempDir
    private Path folder;

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final Metrics metrics = TestMetrics.on(registry);
    private long now = 1;
    private Path file;

    @BeforeEach
    void writeKeys() throws Exception {
        file = folder.resolve("keys.json");
        write(entry("alice", "a-key", "") + "," + entry("bob", "b-key", ", \"requests_per_minute\": 2, \"concurrent\": 2"));
    }

    private static String entry(String name, String key, String limits) {
        return "{\"name\": \"%s\", \"sha256\": \"%s\"%s}".formatted(name, HexFormat.of().formatHex(ApiKeys.sha256(key)), limits);
    }

    private void write(String entries) throws Exception {
        Files.writeString(file, "{\"keys\": [" + entries + "]}");
    }

    private ApiKeys keys() {
        ApiKeys keys = new ApiKeys(Optional.of(file), metrics, () -> now);
        keys.open();
        return keys;
    }

    private static void refused(ApiKeys keys, String key, int status) {
        assertThatThrownBy(() -> keys.admit(key)).isInstanceOfSatisfying(ApiException.class, e -> assertThat(e.status()).isEqualTo(status));
    }

    @Test
    void letsKnownKeysInAndNoOthers() {
        ApiKeys keys = keys();
        keys.admit("a-key").close();
        for (String key : new String[] {null, "", "A-key", "a-key ", "a-kex", "x".repeat(100_000)}) {
            refused(keys, key, 401);
        }
        assertThat(registry.get("moebius_api_key_requests").tag("key", "alice").tag("outcome", "taken").counter().count()).isEqualTo(1);
        assertThat(registry.get("moebius_api_key_requests").tag("outcome", "refused").counter().count()).isEqualTo(6);
    }

    @Test
    void holdsTheRateOfAKey() {
        ApiKeys keys = keys();
        keys.admit("b-key").close();
        keys.admit("b-key").close();
        refused(keys, "b-key", 429);
        keys.admit("a-key").close();
        now += 31_000_000_000L;
        keys.admit("b-key").close();
        refused(keys, "b-key", 429);
        assertThat(registry.get("moebius_api_key_requests").tag("key", "bob").tag("outcome", "limited").counter().count()).isEqualTo(2);
    }

    @Test
    void holdsTheRequestsAtOnce() throws Exception {
        write(entry("bob", "b-key", ", \"concurrent\": 2"));
        ApiKeys keys = keys();
        ApiKeyUse.Permit first = keys.admit("b-key");
        keys.admit("b-key");
        refused(keys, "b-key", 429);
        first.close();
        first.close();
        keys.admit("b-key");
        refused(keys, "b-key", 429);
    }

    @Test
    void readsAChangedFileAndKeepsTheOldKeysWhereItIsBroken() throws Exception {
        ApiKeys keys = keys();
        write(entry("carol", "c-key", ""));
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000));
        now += 2_000_000_000L;
        keys.admit("c-key").close();
        refused(keys, "a-key", 401);
        Files.writeString(file, "{");
        Files.setLastModifiedTime(file, FileTime.fromMillis(2_000));
        now += 2_000_000_000L;
        keys.admit("c-key").close();
    }

    @Test
    void saysInWordsWhyTheFileCannotBeRead() throws Exception {
        Files.delete(file);
        assertThatThrownBy(this::keys).hasMessage("--api-keys-file %s cannot be read (no such file or folder)", file);
        Files.createDirectory(file);
        assertThatThrownBy(this::keys).hasMessage("--api-keys-file %s cannot be read (Is a directory)", file);
    }

    @Test
    void refusesALimitThatIsMisspelt() throws Exception {
        write(entry("bob", "b-key", ", \"request_per_minute\": 2"));
        assertThatThrownBy(this::keys).hasMessageContaining("key bob has the field request_per_minute", "requests_per_minute");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "[]", "{}", "{\"keys\": 1}", "{\"keys\": [1]}", "{\"keys\": [{\"name\": \"a\"}]}",
        "{\"keys\": [{\"name\": \"a b\", \"sha256\": \"00\"}]}", "{\"keys\": [{\"name\": \"a\", \"sha256\": \"00\"}]}",
        "{\"keys\": [], \"keys\": []}", "{\"keys\": []} {}"})
    void refusesAFileThatIsNoListOfKeys(String text) throws Exception {
        Files.writeString(file, text);
        assertThatThrownBy(this::keys).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("--api-keys-file");
    }
}
