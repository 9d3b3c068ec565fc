package io.moebius.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.hub.HubException.Kind;
import io.moebius.hub.TestHub.Fault;
import io.moebius.net.Connections;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several ranges of one file at once, what a break leaves of them, and what other tools make of it. */
class RangesTest {

    private static final int PIECE = 50_000;
    private static final byte[] WEIGHTS = new byte[310_001];
    private static final String SHARD = "model.safetensors";
    private static final String STORE = "store:" + SHARD;

    @TempDir
    private Path cache;

    private TestHub hub;
    private Path blob;
    private Path prefix;
    private Path parts;

    @BeforeEach
    void startAHub() throws IOException {
        new Random(3).nextBytes(WEIGHTS);
        hub = new TestHub().file(SHARD, WEIGHTS);
        Path blobs = Files.createDirectories(cache.resolve("models--org--name/blobs"));
        blob = blobs.resolve(TestHub.etag(SHARD, WEIGHTS));
        prefix = Path.of(blob + ".incomplete");
        parts = Path.of(blob + ".parts");
    }

    @AfterEach
    void stopIt() {
        hub.close();
    }

    private Path fetch() {
        return new ModelSource(new Hub(hub.address(), Optional.empty(), false), new HubCache(cache), new Connections(Map.of()), 400, pause -> {}, PIECE)
                .find(TestHub.REPOSITORY, "main", (done, all) -> {}, warning -> {});
    }

    private void assertWhole(Path snapshot) throws IOException {
        assertThat(Files.readAllBytes(snapshot.resolve(SHARD))).isEqualTo(WEIGHTS);
        assertThat(prefix).doesNotExist();
        assertThat(parts).doesNotExist();
    }

    private void assertFails(Kind kind, String words) {
        assertThatThrownBy(this::fetch).isInstanceOfSatisfying(HubException.class, e -> assertThat(e.kind()).isEqualTo(kind))
                .hasMessageContaining(words);
    }

    private void part(int start, int end) throws IOException {
        Files.createDirectories(parts);
        Files.write(parts.resolve(Integer.toString(start)), Arrays.copyOfRange(WEIGHTS, start, end));
    }

    private void alwaysFrom(int from, Fault fault) {
        hub.fault(STORE, Collections.nCopies(40, hub.from(from, fault)).toArray(Fault[]::new));
    }

    @Test
    void fourStreamsFetchOneFile() throws IOException {
        CountDownLatch four = new CountDownLatch(4);
        Fault untilFourAreThere = (exchange, content) -> {
            four.countDown();
            try {
                assertThat(four.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            hub.send(exchange, content);
        };
        hub.fault(STORE, Collections.nCopies(4, untilFourAreThere).toArray(Fault[]::new));
        assertWhole(fetch());
        assertThat(hub.ranges).containsExactlyInAnyOrder(
                "bytes=0-49999", "bytes=50000-99999", "bytes=100000-149999", "bytes=150000-199999", "bytes=200000-249999",
                "bytes=250000-299999", "bytes=300000-310000");
        assertThat(hub.bytesSent).hasValue(WEIGHTS.length);
    }

    @Test
    void leavesAPrefixWithoutGapsAndFetchesTheRestAlone() throws IOException {
        alwaysFrom(100_000, (exchange, content) -> {
            while (Files.size(prefix) < 100_000) {
                Thread.onSpinWait();
            }
            TestHub.status(500).answer(exchange, content);
        });
        assertFails(Kind.UNREACHABLE, "goes on from byte 100000");
        assertThat(Files.readAllBytes(prefix)).isEqualTo(Arrays.copyOf(WEIGHTS, 100_000));
        assertThat(blob).doesNotExist();
        long arrived = 100_000;
        try (Stream<Path> files = Files.list(parts)) {
            for (Path part : files.toList()) {
                int start = Integer.parseInt(part.getFileName().toString());
                assertThat(Files.readAllBytes(part)).isEqualTo(Arrays.copyOfRange(WEIGHTS, start, start + (int) Files.size(part)));
                arrived += Files.size(part);
            }
        }
        startAgain();
        assertWhole(fetch());
        assertThat(hub.bytesSent).hasValue(WEIGHTS.length - arrived);
    }

    private void startAgain() throws IOException {
        hub.close();
        startAHub();
    }

    @Test
    void goesOnFromAnyByteThatAnotherToolReached() throws IOException {
        Files.write(prefix, Arrays.copyOf(WEIGHTS, 123_456));
        assertWhole(fetch());
        assertThat(hub.ranges).contains("bytes=123456-149999");
        assertThat(hub.bytesSent).hasValue(WEIGHTS.length - 123_456);
    }

    @Test
    void takesUpWhatAKillLeft() throws IOException {
        Files.write(prefix, Arrays.copyOf(WEIGHTS, 60_000));
        part(50_000, 100_000);
        part(150_000, 170_000);
        part(200_000, 250_000);
        assertWhole(fetch());
        assertThat(hub.ranges).containsExactlyInAnyOrder(
                "bytes=100000-149999", "bytes=170000-199999", "bytes=250000-299999", "bytes=300000-310000");
    }

    @Test
    void takesUpPartsThatAnotherToolOvertook() throws IOException {
        Files.write(prefix, Arrays.copyOf(WEIGHTS, 220_000));
        part(150_000, 200_000);
        part(200_000, 240_000);
        part(300_000, 310_000);
        assertWhole(fetch());
        assertThat(hub.ranges).containsExactlyInAnyOrder("bytes=240000-249999", "bytes=250000-299999", "bytes=310000-310000");
    }

    @Test
    void throwsPartsAwayThatAreNone() throws IOException {
        part(7, 20_000);
        part(100_000, 160_000);
        Files.write(parts.resolve("900000"), new byte[1]);
        assertWhole(fetch());
        assertThat(hub.bytesSent).hasValue(WEIGHTS.length);
    }

    @Test
    void fetchesAgainWhatAPartOfWrongContentSpoiled() throws IOException {
        Files.createDirectories(parts);
        Files.write(parts.resolve("100000"), new byte[PIECE]);
        assertWhole(fetch());
    }

    @Test
    void fetchesWithOneStreamFromAHubWithoutRanges() throws IOException {
        hub.fault(STORE, Collections.nCopies(40, TestHub.bytes(WEIGHTS)).toArray(Fault[]::new));
        assertWhole(fetch());
    }

    @Test
    void keepsAPrefixWhereTheHubHasNoRanges() throws IOException {
        Files.write(prefix, Arrays.copyOf(WEIGHTS, 123_456));
        byte[] otherBeginning = WEIGHTS.clone();
        Arrays.fill(otherBeginning, 0, 123_456, (byte) 0);
        hub.fault(STORE, Collections.nCopies(40, TestHub.bytes(otherBeginning)).toArray(Fault[]::new));
        assertWhole(fetch());
    }

    @Test
    void goesOnWithOneStreamWhereTheHubForgetsRanges() throws IOException {
        alwaysFrom(200_000, TestHub.bytes(WEIGHTS));
        assertWhole(fetch());
    }

    @Test
    void refusesAFileThatChangesBetweenRanges() {
        String listed = '"' + TestHub.etag(SHARD, WEIGHTS) + '"';
        String location = hub.storeAddress() + "/" + SHARD;
        hub.fault(SHARD, TestHub.status(302, "X-Linked-Etag", listed, "Location", location),
                TestHub.status(302, "X-Linked-Etag", "\"" + "a".repeat(64) + "\"", "Location", location));
        assertFails(Kind.DAMAGED, "is not the file that");
        assertThat(prefix).doesNotExist();
        assertThat(parts).doesNotExist();
    }

    @Test
    void refusesOneWrongRange() {
        alwaysFrom(100_000, (exchange, content) -> {
            TestHub.begin(exchange, content);
            exchange.getResponseBody().write(new byte[PIECE]);
        });
        assertFails(Kind.DAMAGED, "came damaged");
        assertThat(List.of(blob, prefix, parts)).noneMatch(Files::exists);
    }

    @Test
    void asksAgainForARangeOfAFileOfAnotherLength() throws IOException {
        hub.fault(STORE, TestHub.status(206, "Content-Range", "bytes 0-49999/50000"));
        assertWhole(fetch());
    }

    @Test
    void endsWhereAnotherProgramWritesToo() {
        alwaysFrom(0, (exchange, content) -> {
            TestHub.begin(exchange, content);
            exchange.getResponseBody().write(content, 0, 10_000);
            exchange.getResponseBody().flush();
            while (Files.size(prefix) < 10_000) {
                Thread.onSpinWait();
            }
            Files.write(prefix, new byte[5], StandardOpenOption.APPEND);
            exchange.getResponseBody().write(content, 10_000, PIECE - 10_000);
        });
        assertFails(Kind.NO_ROOM, "another program writes to");
    }
}
