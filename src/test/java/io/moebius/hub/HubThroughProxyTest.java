package io.moebius.hub;

import static io.moebius.hub.HubModel.SHARD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.hub.HubException.Kind;
import io.moebius.net.TestProxy;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Connections through the proxy that the environment names. */
class HubThroughProxyTest {

    @AutoClose
    private final HubModel model;

    HubThroughProxyTest(@TempDir Path folder) {
        model = new HubModel(folder);
    }

    @Test
    void fetchesThroughTheProxyThatTheEnvironmentNames() throws IOException {
        try (TestProxy proxy = new TestProxy("me:secret")) {
            model.assertWhole(model.fetchThrough(Map.of("http_proxy", proxy.address("me:secret@")), model.open()));
            assertThat(proxy.requests).contains(
                    "GET " + model.hub.address() + "/api/models/org/name/revision/main?blobs=true",
                    "GET " + model.hub.storeAddress() + "/" + SHARD + "?signed=1");
        }
    }

    @Test
    void givesAProxyNoTokenOfTheHubsInATunnel() throws IOException {
        try (TestProxy proxy = new TestProxy("me:secret")) {
            Hub secure = new Hub(URI.create("https://127.0.0.1:9"), Optional.of("hf_secret"), false);
            assertThatThrownBy(() -> model.fetchThrough(Map.of("https_proxy", proxy.address("me:secret@")), secure))
                    .isInstanceOfSatisfying(HubException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNREACHABLE))
                    .hasMessageContaining("through the proxy 127.0.0.1:" + proxy.port());
            assertThat(proxy.requests).contains("CONNECT 127.0.0.1:9");
            assertThat(proxy.heads).noneMatch(head -> head.contains("hf_secret"));
        }
    }

    @Test
    void saysThatAProxyDoesNotTakeThePasswordAndDoesNotSayThePassword() throws IOException {
        try (TestProxy proxy = new TestProxy("me:other")) {
            Hub secure = new Hub(URI.create("https://127.0.0.1:9"), Optional.empty(), false);
            assertThatThrownBy(() -> model.fetchThrough(Map.of("https_proxy", proxy.address("me:secret@")), secure))
                    .hasMessageContaining("407").hasMessageContaining("HTTPS_PROXY").hasMessageNotContaining("secret");
        }
    }

    @Test
    void aProxyThatIsNoneIsSaidAndTheCacheServes() {
        Map<String, String> environment = Map.of("HTTP_PROXY", "socks5://me:secret@proxy:1080");
        assertThatThrownBy(() -> model.fetchThrough(environment, model.open()))
                .isInstanceOfSatisfying(HubException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNREACHABLE))
                .hasMessageContaining("HTTP_PROXY, not shown for it may hold a password, names no proxy that can be used; allowed: an address like http://")
                .hasMessageNotContaining("secret");
        Path whole = model.fetch();
        assertThat(model.fetchThrough(environment, model.open())).isEqualTo(whole);
        assertThat(model.warnings).singleElement().asString().contains("HTTP_PROXY, not shown").doesNotContain("secret");
    }
}
