package io.moebius.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.hub.HubException.Kind;
import io.moebius.net.Connections;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What other tools leave in the cache at any moment, laid out as they do, and whether it serves where there is no Hub to ask. */
class PartialSnapshotTest {

    private static final String COMMIT = "2ee8c13482ca5c27751165877a4f3e706c9b8688";
    private static final String INDEX = """
            {"weight_map": {"a": "model-00001-of-00003.safetensors", "b": "model-00002-of-00003.safetensors",
             "c": "model-00003-of-00003.safetensors", "d": "model-00003-of-00003.safetensors"}}""";

    /** Why nothing can be fetched. */
    enum Without {
        OFFLINE, HUB;

        String advice() {
            return this == OFFLINE ? "HF_HUB_OFFLINE" : "check the network, HF_ENDPOINT and HTTPS_PROXY";
        }
    }

    @TempDir
    private Path cache;

    private Path repository;
    private Path snapshot;
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void referToACommitBeforeItsFirstFile() throws IOException {
        repository = Files.createDirectories(cache.resolve("models--org--name"));
        snapshot = repository.resolve("snapshots").resolve(COMMIT);
        Files.writeString(Files.createDirectories(repository.resolve("refs")).resolve("main"), COMMIT);
    }

    private void file(String name, String content) throws IOException {
        Path blob = Files.createDirectories(repository.resolve("blobs")).resolve(TestHub.etag(name, content.getBytes()));
        Files.writeString(blob, content);
        Files.createDirectories(snapshot);
        Files.createSymbolicLink(snapshot.resolve(name), Path.of("../../blobs").resolve(blob.getFileName()));
    }

    private void files(String... names) throws IOException {
        for (String name : names) {
            file(name, name.contains("index") ? INDEX : name);
        }
    }

    private Path find(Without without) {
        Hub hub = new Hub(URI.create("http://127.0.0.1:9"), Optional.empty(), without == Without.OFFLINE);
        return new ModelSource(hub, new HubCache(cache), new Connections(Map.of()), 400, pause -> {}, 1 << 20)
                .find("org/name", "main", (done, all) -> {}, warnings::add);
    }

    private void assertServes(Without without) {
        assertThat(find(without)).isEqualTo(snapshot);
        assertThat(warnings).hasSize(without == Without.OFFLINE ? 0 : 1);
    }

    private void assertRefused(Without without, String... words) {
        assertThatThrownBy(() -> find(without)).isInstanceOfSatisfying(HubException.class, e -> {
            assertThat(e.kind()).isEqualTo(Kind.UNREACHABLE);
            assertThat(e.getMessage()).contains(words).contains(without.advice()).doesNotContain("\n");
        });
    }

    @ParameterizedTest
    @EnumSource
    void servesOneFileOfWeights(Without without) throws IOException {
        files("config.json", "tokenizer.json", "model.safetensors");
        assertServes(without);
    }

    @ParameterizedTest
    @EnumSource
    void servesAllFilesThatAnIndexNames(Without without) throws IOException {
        files("config.json", "tokenizer.json", "model.safetensors.index.json", "model-00001-of-00003.safetensors",
                "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors");
        assertServes(without);
    }

    @ParameterizedTest
    @EnumSource
    void servesCopiesWhereADiskHasNoLinks(Without without) throws IOException {
        Files.createDirectories(snapshot);
        for (String name : new String[] {"config.json", "tokenizer.json", "model.safetensors"}) {
            Files.writeString(snapshot.resolve(name), name);
        }
        assertServes(without);
    }

    @ParameterizedTest
    @EnumSource
    void servesWithoutATokenizerThatTheRepositoryIsKnownToLack(Without without) throws IOException {
        files("config.json", "model.safetensors");
        Files.createFile(Files.createDirectories(repository.resolve(".no_exist").resolve(COMMIT)).resolve("tokenizer.json"));
        assertServes(without);
    }

    @ParameterizedTest
    @EnumSource
    void ignoresWhatWasFetchedInPartForAnotherRevision(Without without) throws IOException {
        files("config.json", "tokenizer.json", "model.safetensors");
        Files.writeString(repository.resolve("blobs/" + "a".repeat(64) + ".incomplete"), "half");
        assertServes(without);
    }

    @ParameterizedTest
    @EnumSource
    void refusesWhatOnlyATokenizerWasReadOf(Without without) throws IOException {
        files("config.json", "tokenizer.json");
        assertRefused(without, "org/name is in the cache in part", "2 of the 3 files", "model.safetensors is missing");
    }

    @ParameterizedTest
    @EnumSource
    void refusesShardsOfWhichSomeAreUnderWay(Without without) throws IOException {
        files("config.json", "tokenizer.json", "model.safetensors.index.json", "model-00002-of-00003.safetensors");
        Files.writeString(repository.resolve("blobs/" + "a".repeat(64) + ".incomplete"), "half");
        assertRefused(without, "3 of the 5 files", "model-00001-of-00003.safetensors and 1 more are missing");
    }

    @ParameterizedTest
    @EnumSource
    void refusesWeightsWithoutConfiguration(Without without) throws IOException {
        files("model.safetensors", "tokenizer.json");
        assertRefused(without, "2 of the 3 files", "config.json is missing");
    }

    @ParameterizedTest
    @EnumSource
    void refusesWeightsWithoutTokenizer(Without without) throws IOException {
        files("config.json", "model.safetensors");
        assertRefused(without, "2 of the 3 files", "tokenizer.json is missing");
    }

    @ParameterizedTest
    @EnumSource
    void refusesALinkWhoseContentIsGone(Without without) throws IOException {
        files("config.json", "tokenizer.json", "model.safetensors");
        Files.delete(snapshot.resolve("model.safetensors").toRealPath());
        assertRefused(without, "model.safetensors is missing");
    }

    @ParameterizedTest
    @EnumSource
    void refusesAFolderWithoutFiles(Without without) throws IOException {
        Files.createDirectories(snapshot);
        assertRefused(without, "0 of the 3 files", "config.json and 2 more are missing");
    }

    @ParameterizedTest
    @EnumSource
    void namesAnotherRevisionThatIsWhole(Without without) throws IOException {
        files("config.json", "tokenizer.json", "model.safetensors");
        String update = "f".repeat(40);
        Files.writeString(repository.resolve("refs/main"), update);
        Files.createDirectories(repository.resolve("snapshots").resolve(update));
        assertRefused(without, "in part", "its revision 2ee8c13482ca is whole");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"weight_map\": {\"a\": \"../../../x.safetensors\"}}", "{\"weight_map\": 5}", "{\"weight", "[]", ""})
    void leavesAnIndexThatIsNoneToTheCheckpointToRefuse(String index) throws IOException {
        files("config.json", "tokenizer.json");
        file("model.safetensors.index.json", index);
        assertServes(Without.OFFLINE);
    }

    @ParameterizedTest
    @EnumSource
    void refusesAReferenceWithoutFolder(Without without) {
        assertThatThrownBy(() -> find(without)).isInstanceOf(HubException.class)
                .hasMessageContaining("no files of revision main").hasMessageContaining(without.advice());
    }
}
