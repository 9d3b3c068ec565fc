package io.moebius.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubCacheTest {

    private static final String COMMIT = "2ee8c13482ca5c27751165877a4f3e706c9b8688";

    @TempDir
    Path cache;

    Path snapshot;

    @BeforeEach
    void layOutASnapshotAsPythonDoes() throws IOException {
        Path repository = cache.resolve("models--org--name");
        snapshot = Files.createDirectories(repository.resolve("snapshots").resolve(COMMIT));
        Files.createDirectories(repository.resolve("refs"));
        Files.writeString(repository.resolve("refs/main"), COMMIT);
        Files.writeString(Files.createDirectories(repository.resolve("blobs")).resolve("abc"), "{}");
        for (String name : new String[] {"config.json", "tokenizer.json", "model.safetensors"}) {
            Files.createSymbolicLink(snapshot.resolve(name), Path.of("../../blobs/abc"));
        }
    }

    @Test
    void findsASnapshotByBranchAndByCommit() {
        assertThat(new HubCache(cache).find("org/name", "main")).isEqualTo(snapshot);
        assertThat(new HubCache(cache).find("org/name", COMMIT)).isEqualTo(snapshot);
    }

    @Test
    void looksWhereTheEnvironmentSays() {
        assertThat(HubCache.of(Map.of("HF_HUB_CACHE", "/a", "HF_HOME", "/b"))).isEqualTo(new HubCache(Path.of("/a")));
        assertThat(HubCache.of(Map.of("HF_HOME", "/b"))).isEqualTo(new HubCache(Path.of("/b/hub")));
        assertThat(HubCache.of(Map.of("HOME", "/root"))).isEqualTo(new HubCache(Path.of("/root/.cache/huggingface/hub")));
    }

    @Test
    void readsVariablesAsOtherToolsDo() {
        assertThat(HubCache.of(Map.of("HOME", "/home/me", "HF_HOME", "~/models")).folder()).isEqualTo(Path.of("/home/me/models/hub"));
        assertThat(HubCache.of(Map.of("HOME", "/home/me", "HF_HUB_CACHE", "", "HF_HOME", " ")).folder())
                .isEqualTo(Path.of("/home/me/.cache/huggingface/hub"));
        assertThat(HubCache.of(Map.of("HOME", "/home/me", "HF_HUB_CACHE", "/data/~x")).folder()).isEqualTo(Path.of("/data/~x"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../nowhere/x", "org", "org/name/more", "/absolute/path", "org/..", "a\0b/c", "org/na me", "C:\\models"})
    void refusesWhatIsNoRepository(String name) {
        assertThatThrownBy(() -> new HubCache(cache).find(name, "main")).isInstanceOf(HubException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"../main", "refs/../../x", "", "a b"})
    void refusesWhatIsNoRevision(String revision) {
        assertThatThrownBy(() -> new HubCache(cache).find("org/name", revision)).isInstanceOf(HubException.class);
    }

    @Test
    void saysWhereItLooked() {
        assertThatThrownBy(() -> new HubCache(cache).find("org/other", "main"))
                .hasMessageContaining("org/other").hasMessageContaining(cache.toString());
        assertThatThrownBy(() -> new HubCache(cache).find("org/name", "v2")).hasMessageContaining("v2");
    }

    @Test
    void refusesLinksThatLeaveTheRepository() throws IOException {
        Files.createSymbolicLink(snapshot.resolve("chat_template.jinja"), Path.of("/etc/hostname"));
        assertThatThrownBy(() -> new HubCache(cache).find("org/name", "main")).hasMessageContaining("outside");
    }

    @Test
    void needsNotWhatAnotherToolLinkedAndLost() throws IOException {
        Files.createSymbolicLink(snapshot.resolve("README.md"), Path.of("../../blobs/gone"));
        assertThat(new HubCache(cache).find("org/name", "main")).isEqualTo(snapshot);
    }

    @Test
    void knowsACommitByItsBeginning() throws IOException {
        assertThat(new HubCache(cache).inFull("org/name", "2ee8c")).isEqualTo(COMMIT);
        assertThat(new HubCache(cache).inFull("org/name", COMMIT)).isEqualTo(COMMIT);
        assertThat(new HubCache(cache).inFull("org/name", "abcdef")).isEqualTo("abcdef");
        assertThat(new HubCache(cache).inFull("org/name", "main")).isEqualTo("main");
        assertThat(new HubCache(cache).inFull("org/other", "2ee8c")).isEqualTo("2ee8c");
        Files.createDirectories(snapshot.resolveSibling("2ee8c" + "0".repeat(35)));
        assertThat(new HubCache(cache).inFull("org/name", "2ee8c1")).isEqualTo(COMMIT);
        assertThatThrownBy(() -> new HubCache(cache).inFull("org/name", "2ee8c")).isInstanceOf(HubException.class)
                .hasMessageContaining("may be").hasMessageContaining(COMMIT);
    }

    @Test
    void listsWhatServesAndWhatIsThereInPart() throws IOException {
        Files.writeString(Files.createDirectories(cache.resolve("models--org--name/refs/refs/pr")).resolve("1"), "b".repeat(40));
        Files.createDirectories(snapshot.resolveSibling("b".repeat(40)));
        Files.createDirectories(snapshot.resolveSibling("c".repeat(40)));
        assertThat(new HubCache(cache).models()).extracting(HubCache.CachedModel::revision)
                .containsExactly("main", "refs/pr/1", "c".repeat(12));
        assertThat(new HubCache(cache).models()).extracting(model -> model.lack().isPresent()).containsExactly(false, true, true);
    }

    @Test
    void refusesAReferenceThatIsNoCommit() throws IOException {
        Files.writeString(cache.resolve("models--org--name/refs/main"), "../../../etc");
        assertThatThrownBy(() -> new HubCache(cache).find("org/name", "main")).hasMessageContaining("commit");
    }
}
