package io.moebius.hub;

import static io.moebius.hub.HubModel.CONFIG;
import static io.moebius.hub.HubModel.SHARD;
import static io.moebius.hub.HubModel.WEIGHTS;
import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.hub.HubException.Kind;
import io.moebius.hub.TestHub.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Collections;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a download leaves in the cache: the layout that other tools read and write, too. */
class CacheLayoutTest {

    @AutoClose
    private final HubModel model;

    CacheLayoutTest(@TempDir Path folder) {
        model = new HubModel(folder);
    }

    @Test
    void laysFilesOutAsOtherToolsDo() throws IOException {
        Path snapshot = model.fetch();
        assertThat(snapshot).isEqualTo(model.snapshot());
        assertThat(Files.readString(model.repository().resolve("refs/main"))).isEqualTo(TestHub.COMMIT);
        assertThat(Files.getPosixFilePermissions(model.repository().resolve("refs/main"))).contains(PosixFilePermission.OTHERS_READ);
        assertThat(Files.readSymbolicLink(snapshot.resolve(SHARD)))
                .isEqualTo(Path.of("../../blobs", TestHub.etag(SHARD, WEIGHTS)));
        assertThat(model.lock()).exists();
        assertThat(model.cache().find(TestHub.REPOSITORY, "main")).isEqualTo(snapshot);
        model.assertWhole(snapshot);
    }

    @Test
    void sharesABlobAmongFilesOfTheSameContent() throws IOException {
        model.hub.file("model-00002-of-00002.safetensors", WEIGHTS);
        Path snapshot = model.fetch();
        assertThat(Files.readAllBytes(snapshot.resolve("model-00002-of-00002.safetensors"))).isEqualTo(WEIGHTS);
        assertThat(model.hub.bytesSent.get()).isEqualTo(WEIGHTS.length + CONFIG.length);
    }

    @Test
    void notesThatARepositoryHasNoTokenizer() {
        model.fetch();
        assertThat(model.repository().resolve(".no_exist").resolve(TestHub.COMMIT).resolve("tokenizer.json")).isEmptyFile();
    }

    @Test
    void keepsBranchesWithSlashes() {
        model.fetch("refs/pr/1");
        assertThat(model.repository().resolve("refs/refs/pr/1")).hasContent(TestHub.COMMIT);
    }

    @Test
    void leavesNoSnapshotOfADownloadThatBreaks() {
        model.hub.fault("store:" + SHARD, Collections.nCopies(6, TestHub.status(500)).toArray(Fault[]::new));
        model.assertFails(Kind.UNREACHABLE, "cannot be fetched");
        assertThat(model.repository().resolve("snapshots")).doesNotExist();
    }

    @Test
    void needsNoWritableCacheForWhatIsThere() throws IOException {
        model.fetch();
        Files.delete(model.lock());
        model.fetch();
        assertThat(model.lock()).doesNotExist();
    }

    @Test
    void saysThatTheCacheCannotBeWritten() throws IOException {
        Files.createFile(model.repository());
        model.assertFails(Kind.NO_ROOM, "cannot be written");
    }

    @Test
    void listsWhatTheCacheHolds() {
        model.fetch();
        assertThat(model.cache().models()).singleElement().satisfies(cached -> {
            assertThat(cached.name()).isEqualTo(TestHub.REPOSITORY);
            assertThat(cached.revision()).isEqualTo("main");
            assertThat(cached.bytes()).isEqualTo(WEIGHTS.length + CONFIG.length);
        });
    }
}
