package io.moebius.license;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublicKeysTest {

    @TempDir
    private Path folder;

    private String open;
    private String closed;

    @BeforeEach
    void makesAKeyPair() throws Exception {
        SigningKey.generate(folder);
        open = Files.readString(folder.resolve("license-key.pub.json"));
        closed = Files.readString(folder.resolve("license-key.json"));
    }

    private static PublicKeys parse(String json) throws LicenseException {
        return PublicKeys.parse(json.getBytes(StandardCharsets.UTF_8), "FILE");
    }

    private static void refused(String json, String reason) {
        assertThatThrownBy(() -> parse(json)).isInstanceOf(LicenseException.class).hasMessageStartingWith("license keys in FILE: ")
                .hasMessageContaining(reason).hasMessageNotContaining("\n");
    }

    @Test
    void readsOneKeyAndAList() throws Exception {
        assertThat(parse(open).byId()).hasSize(1);
        assertThat(parse("{\"allow_more_keys\": false, \"keys\": [" + open + "]}").byId()).isEqualTo(parse(open).byId());
    }

    @Test
    void anImageTakesMoreKeysOnlyWhereItsListSaysSo() throws Exception {
        Path more = folder.resolve("license-key.pub.json");
        assertThat(parse("{\"allow_more_keys\": true, \"keys\": []}").and(more).byId()).hasSize(1);
        for (String image : new String[] {"{\"allow_more_keys\": false, \"keys\": []}", "{\"keys\": []}"}) {
            assertThatThrownBy(() -> parse(image).and(more)).isInstanceOf(LicenseException.class)
                    .hasMessageContaining("takes no keys but its own");
        }
    }

    @Test
    void aFileOfKeysCannotAllowMoreOfThem() throws Exception {
        Path list = Files.writeString(folder.resolve("list.json"), "{\"allow_more_keys\": true, \"keys\": [" + open + "]}");
        assertThatThrownBy(() -> new PublicKeys(Map.of(), false).and(list)).isInstanceOf(LicenseException.class);
    }

    @Test
    void refusesPrivateKeysWhereverTheyStand() {
        refused(closed, "private key");
        refused("{\"keys\": [" + open + "," + closed + "]}", "private key");
    }

    @Test
    void refusesWhatIsNoKey() {
        refused("", "no Ed25519 public key");
        refused("{", "not JSON");
        refused("{\"keys\": 7}", "no list");
        refused("{\"keys\": [7]}", "no Ed25519 public key");
        refused("{\"id\": \"0\", \"public\": \"!\"}", "no Ed25519 public key");
        refused(open.replaceFirst("\"id\" : \"[0-9a-f]{16}\"", "\"id\" : \"0000000000000000\""), "does not belong to it");
    }

    @Test
    void readsNoEndlessFile() {
        assertThatThrownBy(() -> new PublicKeys(Map.of(), true).and(Path.of("/dev/zero"))).isInstanceOf(LicenseException.class);
    }

    @Test
    void aKeyPairIsWrittenOverNoOther() throws Exception {
        Files.delete(folder.resolve("license-key.json"));
        assertThatThrownBy(() -> SigningKey.generate(folder)).isInstanceOf(FileAlreadyExistsException.class);
        assertThat(folder.resolve("license-key.json")).doesNotExist();
        assertThat(folder.resolve("license-key.pub.json")).content().isEqualTo(open);
    }
}
