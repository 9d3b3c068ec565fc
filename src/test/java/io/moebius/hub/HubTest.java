package io.moebius.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.hub.HubException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the environment says of the Hub. */
class HubTest {

    @TempDir
    private Path home;

    @Test
    void takesTheTokenOfTheVariableThenOfTheNamedFileThenOfTheUsualOne() throws IOException {
        Path named = Files.writeString(home.resolve("mine"), "hf_named\n");
        assertThat(Hub.of(Map.of("HF_HOME", home.toString())).token()).isEmpty();
        Files.writeString(home.resolve("token"), "hf_usual\n");
        assertThat(Hub.of(Map.of("HF_HOME", home.toString())).token()).contains("hf_usual");
        assertThat(Hub.of(Map.of("HF_HOME", home.toString(), "HF_TOKEN_PATH", named.toString())).token()).contains("hf_named");
        assertThat(Hub.of(Map.of("HF_HOME", home.toString(), "HF_TOKEN_PATH", named.toString(), "HF_TOKEN", " hf_given "))
                .token()).contains("hf_given");
    }

    @Test
    void refusesATokenThatIsNoneWithoutShowingIt() {
        assertThatThrownBy(() -> Hub.of(Map.of("HF_TOKEN", "hf_a\r\nX: b")))
                .isInstanceOfSatisfying(HubException.class, e -> assertThat(e.kind()).isEqualTo(Kind.REFUSED))
                .hasMessageContaining("HF_TOKEN").hasMessageNotContaining("hf_a");
        assertThat(Hub.of(Map.of("HF_TOKEN", "hf_secret")).toString()).doesNotContain("hf_secret");
    }

    @ParameterizedTest
    @CsvSource({"1, true", "true, true", "YES, true", "on, true", "0, false", "'', false", "no, false"})
    void knowsWhenNothingMayBeAsked(String value, boolean offline) {
        assertThat(Hub.of(Map.of("HF_HUB_OFFLINE", value, "HF_TOKEN", "t")).offline()).isEqualTo(offline);
    }

    @Test
    void asksThePublicHubOrAnother() {
        assertThat(Hub.of(Map.of("HF_TOKEN", "t")).endpoint()).hasToString("https://huggingface.co");
        assertThat(Hub.of(Map.of("HF_TOKEN", "t", "HF_ENDPOINT", "http://mirror:8080/hub/")).endpoint()).hasToString("http://mirror:8080/hub");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mirror", "ftp://mirror", "https://", "https://me:secret@mirror", "https://mirror?x", "https://mirror#x", "https://a b"})
    void refusesWhatIsNoHub(String endpoint) {
        assertThatThrownBy(() -> Hub.of(Map.of("HF_TOKEN", "t", "HF_ENDPOINT", endpoint))).isInstanceOfSatisfying(HubException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNREACHABLE))
                .hasMessageContaining("HF_ENDPOINT").hasMessageNotContaining("secret");
    }
}
