package io.moebius.license;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpHandler;
import io.moebius.net.Connections;
import io.moebius.net.TestProxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RevocationsTest {

    private static final String ID = "f".repeat(32);
    private static final String LIST = "{\"revoked\": [\"" + ID + "\"]}";
    private static final String NOWHERE = "https://127.0.0.1:9/revoked.json";

    @TempDir
    private Path folder;

    private Revocations read(String source) throws LicenseException {
        return Revocations.read(source, folder, new Connections(Map.of()));
    }

    private Path write(String text) throws Exception {
        return Files.writeString(folder.resolve("revoked.json"), text);
    }

    @Test
    void aRevokedSecretIsRefused() throws Exception {
        TrialSecret secret = TrialSecret.make();
        Revocations revoked = read(write(LIST).toString());
        Verifier verifier = new Verifier(
                PublicKeys.builtIn().and(secret.publicKey()), Clock.systemUTC(), Instant.EPOCH);
        assertThatThrownBy(() -> verifier.verify(secret.text(), 1, revoked.ids()))
                .isInstanceOfSatisfying(LicenseException.class, e -> assertThat(e.kind()).isEqualTo(LicenseException.Kind.REVOKED))
                .hasMessageContaining(ID);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{}", "{\"revoked\": 7}", "{\"revoked\": [7]}", "{\"revoked\": [\"x\"]}", "not json"})
    void refusesWhatIsNoList(String text) throws Exception {
        String file = write(text).toString();
        assertThatThrownBy(() -> read(file)).isInstanceOf(LicenseException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://127.0.0.1/revoked.json", "ftp://example.org/x", "/nonexistent/revoked.json"})
    void refusesWhatItDoesNotRead(String source) {
        assertThatThrownBy(() -> read(source)).isInstanceOf(LicenseException.class);
    }

    private static HttpHandler answers(int status, String body) {
        return exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        };
    }

    @Test
    void keepsTheListOfAnAddressForTheTimeWhenItIsDown() throws Exception {
        String address;
        try (RevocationServer server = new RevocationServer(folder, answers(200, LIST))) {
            address = server.address();
            assertThat(read(address)).isEqualTo(new Revocations(Set.of(ID), Optional.empty()));
        }
        Revocations down = read(address);
        assertThat(down.ids()).containsExactly(ID);
        assertThat(down.warning().orElseThrow()).contains(address, "does not answer", "its list as of");
        assertThat(read(NOWHERE).ids()).as("the list of another address").isEmpty();
    }

    @Test
    void asksThroughATunnelOfTheProxyThatTheEnvironmentNames() throws Exception {
        try (RevocationServer server = new RevocationServer(folder, answers(200, LIST)); TestProxy proxy = new TestProxy("me:p@ss")) {
            Connections connections = new Connections(Map.of("HTTPS_PROXY", proxy.address("me:p%40ss@")));
            assertThat(Revocations.read(server.address(), folder, connections).ids()).containsExactly(ID);
            assertThat(proxy.requests).contains("CONNECT 127.0.0.1:" + server.port());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"500 | {}", "404 | {}", "302 | {}", "200 | <html>", "200 | {}", "200 | ''"})
    void anAnswerThatIsNoListLeavesTheLastOneInForce(int status, String body) throws Exception {
        AtomicReference<HttpHandler> handler = new AtomicReference<>(answers(200, LIST));
        try (RevocationServer server = new RevocationServer(folder, exchange -> handler.get().handle(exchange))) {
            read(server.address());
            handler.set(answers(status, body));
            for (int reads = 0; reads < 2; reads++) {
                Revocations revoked = read(server.address());
                assertThat(revoked.ids()).containsExactly(ID);
                assertThat(revoked.warning()).isPresent();
            }
        }
    }

    @Test
    void anAnswerInDropsIsNotWaitedFor() throws Exception {
        HttpHandler drops = exchange -> {
            exchange.sendResponseHeaders(200, 0);
            while (true) {
                exchange.getResponseBody().write(' ');
                exchange.getResponseBody().flush();
                LockSupport.parkNanos(100_000_000);
            }
        };
        try (RevocationServer server = new RevocationServer(folder, drops)) {
            assertThat(read(server.address()).warning().orElseThrow()).contains("does not answer");
        }
    }

    @Test
    void revokesNothingWithoutAnyList() throws Exception {
        Revocations revoked = read(NOWHERE);
        assertThat(revoked.ids()).isEmpty();
        assertThat(revoked.warning().orElseThrow()).contains("no secret counts as revoked");
    }

    @Test
    void aDamagedListInTheCacheIsNone() throws Exception {
        String address;
        try (RevocationServer server = new RevocationServer(folder, answers(200, LIST))) {
            address = server.address();
            read(address);
        }
        try (var files = Files.list(folder)) {
            Files.writeString(files.filter(file -> file.getFileName().toString().startsWith("moebius-revoked-")).findFirst().orElseThrow(), "{");
        }
        assertThat(read(address).warning().orElseThrow()).contains("no secret counts as revoked");
    }
}
