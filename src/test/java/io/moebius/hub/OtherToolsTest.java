package io.moebius.hub;

import static io.moebius.hub.HubModel.CONFIG;
import static io.moebius.hub.HubModel.SHARD;
import static io.moebius.hub.HubModel.WEIGHTS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cache in which other tools have left a model whole, in part, or spoiled. */
class OtherToolsTest {

    @AutoClose
    private final HubModel model;

    OtherToolsTest(@TempDir Path folder) {
        model = new HubModel(folder);
    }

    @Test
    void finishesASnapshotThatAnotherToolBegan() throws IOException {
        model.hub.file("tokenizer.json", new byte[9]);
        Path snapshot = Files.createDirectories(model.snapshot());
        Files.writeString(Files.createDirectories(model.repository().resolve("refs")).resolve("main"), TestHub.COMMIT);
        model.leave(model.blob("config.json", CONFIG), CONFIG);
        Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("../../blobs", TestHub.etag("config.json", CONFIG)));
        model.assertWhole(model.fetch());
        assertThat(model.hub.bytesSent).hasValue(WEIGHTS.length + 9);
    }

    @Test
    void goesOnWithAPartThatAnotherToolLeft() throws IOException {
        model.leave(model.incomplete(), Arrays.copyOf(WEIGHTS, 250_000));
        model.assertWhole(model.fetch());
        assertThat(model.hub.ranges).containsExactly("bytes=250000-299999");
        assertThat(model.hub.bytesSent.get()).isEqualTo(50_000 + CONFIG.length);
    }

    @Test
    void leavesPartsAloneThatNewerToolsNameForThemselves() throws IOException {
        Path foreign = Path.of(model.blob(SHARD, WEIGHTS) + ".1a2b3c4d.incomplete");
        model.leave(foreign, new byte[WEIGHTS.length]);
        assertThat(Files.readAllBytes(model.fetch().resolve(SHARD))).isEqualTo(WEIGHTS);
        assertThat(foreign).hasSize(WEIGHTS.length);
    }

    @Test
    void usesABlobThatAnotherToolFetched() throws IOException {
        model.leave(model.blob(SHARD, WEIGHTS), WEIGHTS);
        model.assertWhole(model.fetch());
        assertThat(model.hub.bytesSent.get()).isEqualTo(CONFIG.length);
    }

    @Test
    void beginsAnewWithAPartThatIsTooLong() throws IOException {
        model.leave(model.incomplete(), new byte[WEIGHTS.length + 1]);
        model.assertWhole(model.fetch());
    }

    @Test
    void fetchesAgainWhatAPartOfWrongContentSpoiled() throws IOException {
        model.leave(model.incomplete(), new byte[WEIGHTS.length]);
        model.assertWhole(model.fetch());
    }

    @Test
    void replacesALinkThatLedElsewhere() throws IOException {
        Path snapshot = Files.createDirectories(model.snapshot());
        Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("/etc/hostname"));
        model.assertWhole(model.fetch());
        assertThat(Files.readSymbolicLink(snapshot.resolve("config.json")).isAbsolute()).isFalse();
        assertThat(Files.exists(snapshot, LinkOption.NOFOLLOW_LINKS)).isTrue();
    }
}
