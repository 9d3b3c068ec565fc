package io.moebius.hub;

import static io.moebius.hub.HubModel.SHARD;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.hub.HubException.Kind;
import io.moebius.hub.TestHub.Fault;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a person hears when the Hub does not list the model, or lists what no model has. */
class RefusedListingTest {

    @AutoClose
    private final HubModel model;

    RefusedListingTest(@TempDir Path folder) {
        model = new HubModel(folder);
    }

    /** @param words that the message holds */
    record Refusal(String what, Fault answer, Kind kind, String words) {
        @Override
        public String toString() {
            return what;
        }
    }

    static Stream<Refusal> refusals() {
        return Stream.of(
                new Refusal("gated", TestHub.status(403, "X-Error-Code", "GatedRepo"), Kind.REFUSED, "accept its terms at"),
                new Refusal("gated without token", TestHub.status(401, "X-Error-Code", "GatedRepo"), Kind.REFUSED, "set HF_TOKEN"),
                new Refusal("no revision", TestHub.status(404, "X-Error-Code", "RevisionNotFound"), Kind.NOT_FOUND, "has no revision main"),
                new Refusal("no repository", TestHub.status(404, "X-Error-Code", "RepoNotFound"), Kind.NOT_FOUND, "has no model org/name"),
                new Refusal("unknown or private", TestHub.status(401, "X-Error-Code", "RepoNotFound"), Kind.REFUSED, "if it is private"),
                new Refusal("forbidden", TestHub.status(403), Kind.REFUSED, "forbids"),
                new Refusal("not found", TestHub.status(404), Kind.NOT_FOUND, "has no model org/name with revision main"),
                new Refusal("challenged", TestHub.status(401, "WWW-Authenticate", "Basic realm=\"http://evil.example\""), Kind.REFUSED, "HF_TOKEN"),
                new Refusal("down", TestHub.status(503), Kind.UNREACHABLE, "HTTP status 503"),
                new Refusal("not a hub", TestHub.text("<html>welcome"), Kind.UNREACHABLE, "does not answer as a Hugging Face Hub"),
                new Refusal("empty", TestHub.text(""), Kind.UNREACHABLE, "does not answer as a Hugging Face Hub"),
                new Refusal("no commit", TestHub.text("{\"sha\": \"../..\", \"siblings\": []}"), Kind.UNREACHABLE, "does not answer as"),
                new Refusal("no weights", listing("config.json", "2", "a".repeat(40)), Kind.NOT_FOUND, "no safetensors"),
                new Refusal("names that lead out", listing("../../x.safetensors", "2", "a".repeat(40)), Kind.NOT_FOUND, "no safetensors"),
                new Refusal("absolute names", listing("/etc/x.safetensors", "2", "a".repeat(40)), Kind.NOT_FOUND, "no safetensors"),
                new Refusal("names with NUL", listing("a\\u0000.safetensors", "2", "a".repeat(40)), Kind.NOT_FOUND, "no safetensors"),
                new Refusal("a digest that leads out", listing(SHARD, "2", "../../../etc/passwd"), Kind.UNREACHABLE, "which no file has"),
                new Refusal("a negative size", listing(SHARD, "-1", "a".repeat(64)), Kind.UNREACHABLE, "which no file has"),
                new Refusal("an absurd size", listing(SHARD, "99999999999999999", "a".repeat(64)), Kind.UNREACHABLE, "which no file has"),
                new Refusal("a size that is none", listing(SHARD, "\"many\"", "a".repeat(64)), Kind.UNREACHABLE, "which no file has"),
                new Refusal("more than the disk holds", listing(SHARD, "9999999999999", "a".repeat(64)), Kind.NO_ROOM, "make room"),
                new Refusal("a loop of redirects", TestHub.status(302, "Location", "/api/models/again"), Kind.UNREACHABLE, "redirects"),
                new Refusal("a redirect to nowhere", TestHub.status(302), Kind.UNREACHABLE, "redirect"),
                new Refusal("a redirect to a file", TestHub.status(302, "Location", "file:///etc/passwd"), Kind.UNREACHABLE, "redirect"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void saysWhatTheHubRefuses(Refusal refusal) {
        model.hub.listing = refusal.answer();
        model.assertFails(refusal.kind(), refusal.words());
    }

    private static Fault listing(String name, String size, String etag) {
        return TestHub.text("{\"sha\": \"%s\", \"siblings\": [{\"rfilename\": \"%s\", \"size\": %s, \"blobId\": \"%s\"}]}"
                .formatted(TestHub.COMMIT, name, size, etag));
    }

    @Test
    void saysThatATokenIsNotTaken() {
        model.hub.token = "hf_other";
        assertThatThrownBy(() -> model.fetchWithToken("hf_secret"))
                .hasMessageContaining("does not take the token")
                .hasMessageNotContaining("hf_secret");
    }
}
