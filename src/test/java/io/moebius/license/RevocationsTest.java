package io.moebius.license;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RevocationsTest {

    private static final String ID = "f".repeat(32);
    private static final String NOWHERE = "https://127.0.0.1:9/revoked.json";

    @TempDir
    private Path folder;

    private Path write(String text) throws Exception {
        return Files.writeString(folder.resolve("revoked.json"), text);
    }

    @Test
    void aRevokedSecretIsRefused() throws Exception {
        TrialSecret secret = TrialSecret.make();
        Revocations revoked = Revocations.read(write("{\"revoked\": [\"" + ID + "\"]}").toString(), folder.resolve("cache"));
        Verifier verifier = new Verifier(
                PublicKeys.builtIn().and(secret.publicKey()), java.time.Clock.systemUTC(), java.time.Instant.EPOCH);
        assertThatThrownBy(() -> verifier.verify(secret.text(), 1, revoked.ids()))
                .isInstanceOfSatisfying(LicenseException.class, e -> assertThat(e.kind()).isEqualTo(LicenseException.Kind.REVOKED))
                .hasMessageContaining(ID);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{}", "{\"revoked\": 7}", "{\"revoked\": [7]}", "{\"revoked\": [\"x\"]}", "not json"})
    void refusesWhatIsNoList(String text) throws Exception {
        String file = write(text).toString();
        assertThatThrownBy(() -> Revocations.read(file, folder.resolve("cache"))).isInstanceOf(LicenseException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://127.0.0.1/revoked.json", "ftp://example.org/x", "/nonexistent/revoked.json"})
    void refusesWhatItDoesNotRead(String source) {
        assertThatThrownBy(() -> Revocations.read(source, folder.resolve("cache"))).isInstanceOf(LicenseException.class);
    }

    @Test
    void usesTheLastListWhileTheAddressIsDown() throws Exception {
        Path cache = write("{\"revoked\": [\"" + ID + "\"]}");
        Revocations revoked = Revocations.read(NOWHERE, cache);
        assertThat(revoked.ids()).containsExactly(ID);
        assertThat(revoked.warning().orElseThrow()).contains("cannot be reached", "as of");
    }

    @Test
    void revokesNothingWithoutAnyList() throws Exception {
        Revocations revoked = Revocations.read(NOWHERE, folder.resolve("cache"));
        assertThat(revoked.ids()).isEmpty();
        assertThat(revoked.warning().orElseThrow()).contains("no secret counts as revoked");
    }
}
