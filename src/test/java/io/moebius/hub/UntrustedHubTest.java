package io.moebius.hub;

import static io.moebius.hub.HubModel.SHARD;
import static io.moebius.hub.HubModel.WEIGHTS;
import static io.moebius.hub.HubModel.random;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.hub.HubException.Kind;
import io.moebius.net.Connections;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bytes that are not what the Hub listed, and bodies without end. */
class UntrustedHubTest {

    @AutoClose
    private final HubModel model;

    UntrustedHubTest(@TempDir Path folder) {
        model = new HubModel(folder);
    }

    @Test
    void refusesOtherContentOfTheSameLength() throws IOException {
        model.hub.fault("store:" + SHARD, TestHub.bytes(random(WEIGHTS.length, 2)));
        model.assertFails(Kind.DAMAGED, "came damaged");
        assertThat(model.incomplete()).doesNotExist();
        assertThat(model.blob(SHARD, WEIGHTS)).doesNotExist();
    }

    @Test
    void refusesMoreThanIsListed() {
        model.hub.fault("store:" + SHARD, TestHub.bytes(random(WEIGHTS.length + 1, 2)));
        model.assertFails(Kind.DAMAGED, "sends more than the 300000 bytes");
    }

    @Test
    void refusesAnEndlessBody() {
        model.hub.fault("store:" + SHARD, (exchange, content) -> {
            exchange.sendResponseHeaders(200, 0);
            while (true) {
                exchange.getResponseBody().write(content);
            }
        });
        model.assertFails(Kind.DAMAGED, "sends more than");
    }

    @Test
    void refusesAFileThatHasChanged() {
        model.hub.fault("config.json", TestHub.status(200, "ETag", "\"" + "a".repeat(40) + "\""));
        model.assertFails(Kind.DAMAGED, "is not the file that");
    }

    @Test
    void takesCompressedBodiesForWhatTheyAre() {
        model.hub.fault("config.json", (exchange, content) -> {
            exchange.getResponseHeaders().add("Content-Encoding", "gzip");
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(new byte[content.length]);
        });
        model.assertFails(Kind.DAMAGED, "came damaged");
    }

    @Test
    void refusesAListingWithoutEnd() {
        model.hub.listing = (exchange, none) -> {
            exchange.sendResponseHeaders(200, 0);
            while (true) {
                exchange.getResponseBody().write(new byte[1 << 16]);
            }
        };
        model.assertFails(Kind.UNREACHABLE, "lists more than");
    }

    @Test
    void followsNoRedirectFromHttpsToHttp() {
        HubTransport transport = new HubTransport(new Hub(URI.create("https://hub.example"), Optional.empty(), false), new Connections(Map.of()), 1, 1);
        assertThatThrownBy(() -> transport.redirected(URI.create("https://hub.example/a"), "http://hub.example/b"))
                .hasMessageContaining("plain http");
    }
}
