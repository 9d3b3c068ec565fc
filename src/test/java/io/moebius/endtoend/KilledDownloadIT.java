package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.hub.TestHub;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real program, killed while several streams are at one large file. */
class KilledDownloadIT {

    private static final byte[] CONFIG = "{}".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    private Path cache;

    private final TestHub hub = new TestHub();

    @AfterEach
    void stopTheHub() {
        hub.close();
    }

    private Program download() {
        return Program.run(Map.of("HF_HUB_CACHE", cache.toString(), "HF_ENDPOINT", hub.address().toString()), "download", "org/name");
    }

    @Test
    void leavesAPrefixForOtherToolsAndFetchesNothingTwice() throws IOException {
        byte[] weights = new byte[160 << 20];
        new Random(5).nextBytes(weights);
        hub.file("config.json", CONFIG).file("model.safetensors", weights);
        hub.bytesPerMilli = 16_000;
        try (Program program = download()) {
            while (program.isAlive() && hub.bytesSent.get() < weights.length / 2) {
                Thread.onSpinWait();
            }
            program.kill();
            program.awaitExit();
        }
        Path blobs = cache.resolve("models--org--name/blobs");
        Path blob = blobs.resolve(TestHub.etag("model.safetensors", weights));
        long arrived = assertSame(Path.of(blob + ".incomplete"), weights, 0);
        assertThat(arrived).isPositive();
        for (Path part : children(Path.of(blob + ".parts"))) {
            arrived += assertSame(part, weights, Integer.parseInt(part.getFileName().toString()));
        }
        assertThat(arrived).isBetween((long) weights.length / 4, weights.length - 1L);

        hub.bytesPerMilli = Long.MAX_VALUE;
        hub.bytesSent.set(0);
        try (Program program = download()) {
            assertThat(program.awaitExit()).as(program.errors()).isZero();
        }
        assertThat(hub.bytesSent).hasValue(weights.length - arrived);
        assertThat(assertSame(blob, weights, 0)).isEqualTo(weights.length);
        assertThat(children(blobs)).hasSize(2);
    }

    /** @return the file's size; it holds the content from that byte on */
    private static long assertSame(Path file, byte[] content, int from) throws IOException {
        byte[] found = Files.readAllBytes(file);
        assertThat(ByteBuffer.wrap(content, from, found.length).mismatch(ByteBuffer.wrap(found))).as(file.toString()).isEqualTo(-1);
        return found.length;
    }

    private static List<Path> children(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
