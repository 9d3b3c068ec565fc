package io.moebius.hub;

import static io.moebius.hub.HubModel.SHARD;
import static io.moebius.hub.HubModel.WEIGHTS;
import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.hub.HubException.Kind;
import io.moebius.hub.TestHub.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A Hub that breaks off, stalls or is busy: what is tried again, after which pause, and from which byte on. */
class BrokenDownloadTest {

    @AutoClose
    private final HubModel model;

    BrokenDownloadTest(@TempDir Path folder) {
        model = new HubModel(folder);
    }

    static Stream<Arguments> faults() {
        return Map.<String, List<Fault>>ofEntries(
                        Map.entry("hangs up at once", List.of(TestHub.drop(0))),
                        Map.entry("hangs up after a byte", List.of(TestHub.drop(1))),
                        Map.entry("hangs up in the middle", List.of(TestHub.drop(150_000))),
                        Map.entry("hangs up before the last byte", List.of(TestHub.drop(WEIGHTS.length - 1))),
                        Map.entry("hangs up twenty times", Collections.nCopies(20, TestHub.drop(1_000))),
                        Map.entry("stalls", List.of(TestHub.stall(5_000, 1_000))),
                        Map.entry("429", List.of(TestHub.status(429))),
                        Map.entry("429 with a time", List.of(TestHub.status(429, "Retry-After", "7"))),
                        Map.entry("500", List.of(TestHub.status(500), TestHub.status(500))),
                        Map.entry("502", List.of(TestHub.status(502))),
                        Map.entry("503 with a time", List.of(TestHub.status(503, "Retry-After", "3"))),
                        Map.entry("504", List.of(TestHub.status(504))),
                        Map.entry("an absurd time", List.of(TestHub.status(429, "Retry-After", "999999"))),
                        Map.entry("a time that is none", List.of(TestHub.status(429, "Retry-After", "soon"))),
                        Map.entry("416", List.of(TestHub.drop(1_000), TestHub.status(416))),
                        Map.entry("no ranges", List.of(TestHub.drop(1_000), TestHub.bytes(WEIGHTS))),
                        Map.entry("another range", List.of(TestHub.drop(1_000), TestHub.status(206, "Content-Range", "bytes 0-9/10"))),
                        Map.entry("206 without a range", List.of(TestHub.drop(1_000), TestHub.status(206))),
                        Map.entry("faults of all kinds", List.of(
                                TestHub.drop(10), TestHub.status(500), TestHub.drop(10), TestHub.status(429), TestHub.drop(100_000),
                                TestHub.status(416), TestHub.drop(7))))
                .entrySet()
                .stream()
                .flatMap(fault -> Stream.of(1 << 20, 1 << 16).map(pieces -> Arguments.of(fault.getKey(), pieces, fault.getValue())));
    }

    @ParameterizedTest(name = "{0}, pieces of {1}")
    @MethodSource("faults")
    void comesThroughFaults(String what, int pieceBytes, List<Fault> faults) throws IOException {
        model.hub.fault("store:" + SHARD, faults.toArray(Fault[]::new));
        model.assertWhole(model.fetchInPieces(pieceBytes));
    }

    @Test
    void waitsAsLongAsTheHubAsksButNoLongerThanAMinute() {
        model.hub.fault("store:" + SHARD, TestHub.status(429, "Retry-After", "7"), TestHub.status(503, "Retry-After", "9999"));
        model.fetch();
        assertThat(model.pauses).containsExactly(Duration.ofSeconds(7), Duration.ofMinutes(1));
    }

    @Test
    void waitsUntilTheMomentThatTheHubNames() {
        String moment = DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(30));
        model.hub.fault("store:" + SHARD, TestHub.status(503, "Retry-After", moment));
        model.fetch();
        assertThat(model.pauses).singleElement().satisfies(pause -> assertThat(pause).isBetween(Duration.ofSeconds(20), Duration.ofSeconds(30)));
    }

    @Test
    void asksABusyHubAgainForItsListing() throws IOException {
        Deque<Fault> answers = new ArrayDeque<>(List.of(
                TestHub.status(429, "Retry-After", "7"), TestHub.status(503), TestHub.status(504)));
        Fault listing = model.hub.listing();
        model.hub.listing = (exchange, none) -> Optional.ofNullable(answers.poll()).orElse(listing).answer(exchange, none);
        model.assertWhole(model.fetch());
        assertThat(model.pauses).containsExactly(Duration.ofSeconds(7), Duration.ofSeconds(1), Duration.ofSeconds(2));
    }

    @Test
    void doesNotWaitForABusyHubWhereTheCacheServes() {
        Path whole = model.fetch();
        model.hub.listing = TestHub.status(429, "Retry-After", "60");
        assertThat(model.fetch()).isEqualTo(whole);
        assertThat(model.pauses).isEmpty();
        assertThat(model.warnings).singleElement().asString().contains("HTTP status 429", "the cached revision is used");
    }

    @Test
    void waitsLongerWithEveryFailure() {
        model.hub.fault("store:" + SHARD, TestHub.status(500), TestHub.status(500), TestHub.status(500));
        model.fetch();
        assertThat(model.pauses).isSorted().hasSize(3).doesNotHaveDuplicates();
    }

    @Test
    void fetchesNothingTwiceThatCameBeforeABreak() {
        model.hub.fault("store:" + SHARD, TestHub.drop(200_000));
        model.fetch();
        assertThat(model.hub.ranges).containsExactly("bytes=200000-299999");
    }

    @Test
    void givesUpAndGoesOnInTheNextRun() throws IOException {
        model.hub.fault("store:" + SHARD, TestHub.drop(200_000));
        model.hub.fault("store:" + SHARD, Collections.nCopies(6, TestHub.status(500)).toArray(Fault[]::new));
        model.assertFails(Kind.UNREACHABLE, "goes on from byte 200000");
        model.assertWhole(model.fetch());
        assertThat(model.hub.ranges).containsExactly("bytes=200000-299999");
    }

    @Test
    void doesNotWaitForeverForAHubThatKeepsAsking() {
        model.hub.fault("store:" + SHARD, Collections.nCopies(50, TestHub.status(429, "Retry-After", "1")).toArray(Fault[]::new));
        model.assertFails(Kind.UNREACHABLE, "again and again");
    }

    @Test
    void aFullDiskIsNoFailureOfTheHub() throws IOException {
        Path incomplete = model.incomplete();
        Files.createDirectories(incomplete.getParent());
        Files.createSymbolicLink(incomplete, Path.of("/dev/full"));
        model.assertFails(Kind.NO_ROOM, "No space left on device", "make room");
        assertThat(model.pauses).isEmpty();
        Files.delete(incomplete);
    }
}
