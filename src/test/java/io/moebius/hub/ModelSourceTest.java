package io.moebius.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.hub.HubException.Kind;
import io.moebius.hub.TestHub.Fault;
import io.moebius.net.Connections;
import io.moebius.net.TestProxy;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Fetching from a Hub that works, that fails, and that means harm. */
class ModelSourceTest {

    private static final byte[] WEIGHTS = random(300_000, 1);
    private static final byte[] CONFIG = "{\"architectures\": [\"MixtralForCausalLM\"]}".getBytes();
    private static final String SHARD = "model.safetensors";

    @TempDir
    private Path folder;

    private TestHub hub;
    private long pieceBytes = 1 << 20;
    private final List<Duration> pauses = Collections.synchronizedList(new ArrayList<>());
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void startAHub() {
        hub = new TestHub().file("config.json", CONFIG).file(SHARD, WEIGHTS);
    }

    @AfterEach
    void stopIt() {
        hub.close();
    }

    private static byte[] random(int count, long seed) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private HubCache cache() {
        return new HubCache(folder);
    }

    private Path repository() {
        return folder.resolve("models--org--name");
    }

    private Path blob(String name, byte[] content) {
        return repository().resolve("blobs").resolve(TestHub.etag(name, content));
    }

    private ModelSource source(Optional<String> token, boolean offline) {
        return new ModelSource(new Hub(hub.address(), token, offline), cache(), new Connections(Map.of()), 400, pauses::add, pieceBytes);
    }

    private Path fetch(String revision) {
        return source(Optional.empty(), false).find(TestHub.REPOSITORY, revision, (done, all) -> {}, warnings::add);
    }

    private Path fetch() {
        return fetch("main");
    }

    private void assertWhole(Path snapshot) throws IOException {
        assertThat(Files.readAllBytes(snapshot.resolve(SHARD))).isEqualTo(WEIGHTS);
        assertThat(Files.readAllBytes(snapshot.resolve("config.json"))).isEqualTo(CONFIG);
        try (Stream<Path> blobs = Files.list(repository().resolve("blobs"))) {
            assertThat(blobs.map(Path::toString)).noneMatch(name -> name.endsWith(".incomplete"));
        }
    }

    private void assertFails(Kind kind, String... words) {
        assertThatThrownBy(this::fetch).isInstanceOfSatisfying(HubException.class, e -> {
            assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind);
            assertThat(e.getMessage()).contains(words).doesNotContain("\n");
        });
        assertThat(repository().resolve("refs/main")).doesNotExist();
    }

    @Test
    void laysFilesOutAsOtherToolsDo() throws IOException {
        Path snapshot = fetch();
        assertThat(snapshot).isEqualTo(repository().resolve("snapshots").resolve(TestHub.COMMIT));
        assertThat(Files.readString(repository().resolve("refs/main"))).isEqualTo(TestHub.COMMIT);
        assertThat(Files.getPosixFilePermissions(repository().resolve("refs/main"))).contains(PosixFilePermission.OTHERS_READ);
        assertThat(Files.readSymbolicLink(snapshot.resolve(SHARD)))
                .isEqualTo(Path.of("../../blobs", TestHub.etag(SHARD, WEIGHTS)));
        assertThat(folder.resolve(".locks/models--org--name").resolve(TestHub.etag(SHARD, WEIGHTS) + ".lock")).exists();
        assertThat(cache().find(TestHub.REPOSITORY, "main")).isEqualTo(snapshot);
        assertWhole(snapshot);
    }

    @Test
    void fetchesWhatIsNeededAlone() {
        hub.file("pytorch_model.bin", new byte[9]).file("README.md", new byte[9]).file("consolidated.00.safetensors", new byte[9])
                .file("tokenizer.json", new byte[9]).file("original/model.safetensors", new byte[9]);
        fetch();
        assertThat(hub.requests).filteredOn(path -> path.contains("/resolve/")).extracting(path -> path.substring(path.lastIndexOf('/') + 1))
                .containsExactlyInAnyOrder("config.json", SHARD, "tokenizer.json");
    }

    @Test
    void asksForNothingTwice() {
        fetch();
        hub.requests.clear();
        fetch();
        assertThat(hub.requests).containsExactly("/api/models/org/name/revision/main");
    }

    @Test
    void needsNoWritableCacheForWhatIsThere() throws IOException {
        fetch();
        Files.delete(folder.resolve(".locks/models--org--name").resolve(TestHub.etag(SHARD, WEIGHTS) + ".lock"));
        fetch();
        assertThat(folder.resolve(".locks/models--org--name").resolve(TestHub.etag(SHARD, WEIGHTS) + ".lock")).doesNotExist();
    }

    @Test
    void sharesABlobAmongFilesOfTheSameContent() throws IOException {
        hub.file("model-00002-of-00002.safetensors", WEIGHTS);
        Path snapshot = fetch();
        assertThat(Files.readAllBytes(snapshot.resolve("model-00002-of-00002.safetensors"))).isEqualTo(WEIGHTS);
        assertThat(hub.bytesSent.get()).isEqualTo(WEIGHTS.length + CONFIG.length);
    }

    @Test
    void fetchesACommitByItself() {
        assertThat(fetch(TestHub.COMMIT)).exists();
        assertThat(repository().resolve("refs")).doesNotExist();
    }

    @Test
    void takesTheBeginningOfACommitThatIsCached() {
        Path snapshot = fetch();
        hub.requests.clear();
        assertThat(fetch(TestHub.COMMIT.substring(0, 12))).isEqualTo(snapshot);
        assertThat(hub.requests).containsExactly("/api/models/org/name/revision/" + TestHub.COMMIT);
        assertThat(source(Optional.empty(), true).find(TestHub.REPOSITORY, TestHub.COMMIT.substring(0, 12), (done, all) -> {}, warnings::add))
                .isEqualTo(snapshot);
    }

    @Test
    void findsByItsBranchWhatWasFetchedAsACommit() throws IOException {
        fetch(TestHub.COMMIT);
        fetch();
        hub.close();
        assertWhole(fetch());
    }

    @Test
    void finishesASnapshotThatAnotherToolBegan() throws IOException {
        hub.file("tokenizer.json", new byte[9]);
        Path snapshot = Files.createDirectories(repository().resolve("snapshots").resolve(TestHub.COMMIT));
        Files.writeString(Files.createDirectories(repository().resolve("refs")).resolve("main"), TestHub.COMMIT);
        Files.createDirectories(repository().resolve("blobs"));
        Files.write(blob("config.json", CONFIG), CONFIG);
        Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("../../blobs", TestHub.etag("config.json", CONFIG)));
        assertWhole(fetch());
        assertThat(hub.bytesSent).hasValue(WEIGHTS.length + 9);
    }

    @Test
    void leavesNoSnapshotOfADownloadThatBreaks() {
        hub.fault("store:" + SHARD, Collections.nCopies(6, TestHub.status(500)).toArray(Fault[]::new));
        assertFails(Kind.UNREACHABLE, "cannot be fetched");
        assertThat(repository().resolve("snapshots")).doesNotExist();
    }

    @Test
    void notesThatARepositoryHasNoTokenizer() {
        fetch();
        assertThat(repository().resolve(".no_exist").resolve(TestHub.COMMIT).resolve("tokenizer.json")).isEmptyFile();
    }

    @Test
    void keepsBranchesWithSlashes() {
        fetch("refs/pr/1");
        assertThat(repository().resolve("refs/refs/pr/1")).hasContent(TestHub.COMMIT);
    }

    @Test
    void goesOnWithAPartThatAnotherToolLeft() throws IOException {
        Files.createDirectories(repository().resolve("blobs"));
        Files.write(Path.of(blob(SHARD, WEIGHTS) + ".incomplete"), Arrays.copyOf(WEIGHTS, 250_000));
        assertWhole(fetch());
        assertThat(hub.ranges).containsExactly("bytes=250000-299999");
        assertThat(hub.bytesSent.get()).isEqualTo(50_000 + CONFIG.length);
    }

    @Test
    void leavesPartsAloneThatNewerToolsNameForThemselves() throws IOException {
        Path foreign = Path.of(blob(SHARD, WEIGHTS) + ".1a2b3c4d.incomplete");
        Files.createDirectories(foreign.getParent());
        Files.write(foreign, new byte[WEIGHTS.length]);
        assertThat(Files.readAllBytes(fetch().resolve(SHARD))).isEqualTo(WEIGHTS);
        assertThat(foreign).hasSize(WEIGHTS.length);
    }

    @Test
    void usesABlobThatAnotherToolFetched() throws IOException {
        Files.createDirectories(repository().resolve("blobs"));
        Files.write(blob(SHARD, WEIGHTS), WEIGHTS);
        assertWhole(fetch());
        assertThat(hub.bytesSent.get()).isEqualTo(CONFIG.length);
    }

    @Test
    void beginsAnewWithAPartThatIsTooLong() throws IOException {
        Files.createDirectories(repository().resolve("blobs"));
        Files.write(Path.of(blob(SHARD, WEIGHTS) + ".incomplete"), new byte[WEIGHTS.length + 1]);
        assertWhole(fetch());
    }

    @Test
    void fetchesAgainWhatAPartOfWrongContentSpoiled() throws IOException {
        Files.createDirectories(repository().resolve("blobs"));
        Files.write(Path.of(blob(SHARD, WEIGHTS) + ".incomplete"), new byte[WEIGHTS.length]);
        assertWhole(fetch());
    }

    @Test
    void saysHowFarItIs() {
        List<Long> done = Collections.synchronizedList(new ArrayList<>());
        List<Long> of = Collections.synchronizedList(new ArrayList<>());
        source(Optional.empty(), false).find(TestHub.REPOSITORY, "main", (bytes, all) -> {
            done.add(bytes);
            of.add(all);
        }, warnings::add);
        assertThat(Collections.max(done)).isEqualTo(WEIGHTS.length + CONFIG.length);
        assertThat(of).containsOnly((long) WEIGHTS.length + CONFIG.length);
    }

    @TestFactory
    Stream<DynamicTest> comesThroughFaults() {
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
                .flatMap(fault -> Stream.of(1 << 20, 1 << 16).map(size -> DynamicTest.dynamicTest(fault.getKey() + ", pieces of " + size, () -> {
                    restart();
                    pieceBytes = size;
                    hub.fault("store:" + SHARD, fault.getValue().toArray(Fault[]::new));
                    assertWhole(fetch());
                })));
    }

    private void restart() throws IOException {
        hub.close();
        startAHub();
        pauses.clear();
        if (Files.exists(repository())) {
            try (Stream<Path> files = Files.walk(repository())) {
                for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    @Test
    void waitsAsLongAsTheHubAsksButNoLongerThanAMinute() {
        hub.fault("store:" + SHARD, TestHub.status(429, "Retry-After", "7"), TestHub.status(503, "Retry-After", "9999"));
        fetch();
        assertThat(pauses).containsExactly(Duration.ofSeconds(7), Duration.ofMinutes(1));
    }

    @Test
    void waitsUntilTheMomentThatTheHubNames() {
        String moment = DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(30));
        hub.fault("store:" + SHARD, TestHub.status(503, "Retry-After", moment));
        fetch();
        assertThat(pauses).singleElement().satisfies(pause -> assertThat(pause).isBetween(Duration.ofSeconds(20), Duration.ofSeconds(30)));
    }

    @Test
    void asksABusyHubAgainForItsListing() throws IOException {
        Deque<Fault> answers = new ArrayDeque<>(List.of(
                TestHub.status(429, "Retry-After", "7"), TestHub.status(503), TestHub.status(504)));
        Fault listing = hub.listing();
        hub.listing = (exchange, none) -> Optional.ofNullable(answers.poll()).orElse(listing).answer(exchange, none);
        assertWhole(fetch());
        assertThat(pauses).containsExactly(Duration.ofSeconds(7), Duration.ofSeconds(1), Duration.ofSeconds(2));
    }

    @Test
    void doesNotWaitForABusyHubWhereTheCacheServes() {
        Path whole = fetch();
        hub.listing = TestHub.status(429, "Retry-After", "60");
        assertThat(fetch()).isEqualTo(whole);
        assertThat(pauses).isEmpty();
        assertThat(warnings).singleElement().asString().contains("HTTP status 429", "the cached revision is used");
    }

    @Test
    void aFullDiskIsNoFailureOfTheHub() throws IOException {
        Path incomplete = Path.of(blob(SHARD, WEIGHTS) + ".incomplete");
        Files.createDirectories(incomplete.getParent());
        Files.createSymbolicLink(incomplete, Path.of("/dev/full"));
        assertFails(Kind.NO_ROOM, "No space left on device", "make room");
        assertThat(pauses).isEmpty();
        Files.delete(incomplete);
    }

    @Test
    void waitsLongerWithEveryFailure() {
        hub.fault("store:" + SHARD, TestHub.status(500), TestHub.status(500), TestHub.status(500));
        fetch();
        assertThat(pauses).isSorted().hasSize(3).doesNotHaveDuplicates();
    }

    @Test
    void fetchesNothingTwiceThatCameBeforeABreak() {
        hub.fault("store:" + SHARD, TestHub.drop(200_000));
        fetch();
        assertThat(hub.ranges).containsExactly("bytes=200000-299999");
    }

    @Test
    void givesUpAndGoesOnInTheNextRun() throws IOException {
        hub.fault("store:" + SHARD, TestHub.drop(200_000));
        hub.fault("store:" + SHARD, Collections.nCopies(6, TestHub.status(500)).toArray(Fault[]::new));
        assertFails(Kind.UNREACHABLE, "goes on from byte 200000");
        assertWhole(fetch());
        assertThat(hub.ranges).containsExactly("bytes=200000-299999");
    }

    @Test
    void doesNotWaitForeverForAHubThatKeepsAsking() {
        hub.fault("store:" + SHARD, Collections.nCopies(50, TestHub.status(429, "Retry-After", "1")).toArray(Fault[]::new));
        assertFails(Kind.UNREACHABLE, "again and again");
    }

    @Test
    void refusesOtherContentOfTheSameLength() throws IOException {
        hub.fault("store:" + SHARD, TestHub.bytes(random(WEIGHTS.length, 2)));
        assertFails(Kind.DAMAGED, "came damaged");
        assertThat(Path.of(blob(SHARD, WEIGHTS) + ".incomplete")).doesNotExist();
        assertThat(blob(SHARD, WEIGHTS)).doesNotExist();
    }

    @Test
    void refusesMoreThanIsListed() {
        hub.fault("store:" + SHARD, TestHub.bytes(random(WEIGHTS.length + 1, 2)));
        assertFails(Kind.DAMAGED, "sends more than the 300000 bytes");
    }

    @Test
    void refusesAnEndlessBody() {
        hub.fault("store:" + SHARD, (exchange, content) -> {
            exchange.sendResponseHeaders(200, 0);
            while (true) {
                exchange.getResponseBody().write(content);
            }
        });
        assertFails(Kind.DAMAGED, "sends more than");
    }

    @Test
    void refusesAFileThatHasChanged() {
        hub.fault("config.json", TestHub.status(200, "ETag", "\"" + "a".repeat(40) + "\""));
        assertFails(Kind.DAMAGED, "is not the file that");
    }

    @Test
    void takesCompressedBodiesForWhatTheyAre() {
        hub.fault("config.json", (exchange, content) -> {
            exchange.getResponseHeaders().add("Content-Encoding", "gzip");
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(new byte[content.length]);
        });
        assertFails(Kind.DAMAGED, "came damaged");
    }

    @TestFactory
    Stream<DynamicTest> saysWhatTheHubRefuses() {
        record Refusal(String what, Fault answer, Kind kind, String words) {}
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
                        new Refusal("a redirect to a file", TestHub.status(302, "Location", "file:///etc/passwd"), Kind.UNREACHABLE, "redirect"))
                .map(refusal -> DynamicTest.dynamicTest(refusal.what(), () -> {
                    restart();
                    hub.listing = refusal.answer();
                    assertFails(refusal.kind(), refusal.words());
                }));
    }

    private static Fault listing(String name, String size, String etag) {
        return TestHub.text("{\"sha\": \"%s\", \"siblings\": [{\"rfilename\": \"%s\", \"size\": %s, \"blobId\": \"%s\"}]}"
                .formatted(TestHub.COMMIT, name, size, etag));
    }

    @Test
    void refusesAListingWithoutEnd() {
        hub.listing = (exchange, none) -> {
            exchange.sendResponseHeaders(200, 0);
            while (true) {
                exchange.getResponseBody().write(new byte[1 << 16]);
            }
        };
        assertFails(Kind.UNREACHABLE, "lists more than");
    }

    @Test
    void sendsTheTokenToTheHubAlone() {
        hub.token = "hf_secret";
        source(Optional.of("hf_secret"), false).find(TestHub.REPOSITORY, "main", (done, all) -> {}, warnings::add);
        assertThat(hub.storeAuthorizations).containsExactly("null");
    }

    @Test
    void saysThatATokenIsNotTaken() {
        hub.token = "hf_other";
        assertThatThrownBy(() -> source(Optional.of("hf_secret"), false).find(TestHub.REPOSITORY, "main", (d, a) -> {}, warnings::add))
                .hasMessageContaining("does not take the token")
                .hasMessageNotContaining("hf_secret");
    }

    @Test
    void followsNoRedirectFromHttpsToHttp() {
        HubTransport transport = new HubTransport(new Hub(URI.create("https://hub.example"), Optional.empty(), false), new Connections(Map.of()), 1, 1);
        assertThatThrownBy(() -> transport.redirected(URI.create("https://hub.example/a"), "http://hub.example/b"))
                .hasMessageContaining("plain http");
    }

    @Test
    void makesNoConnectionWhenOffline() throws IOException {
        fetch();
        hub.requests.clear();
        Path snapshot = source(Optional.empty(), true).find(TestHub.REPOSITORY, "main", (done, all) -> {}, warnings::add);
        assertWhole(snapshot);
        assertThat(hub.requests).isEmpty();
        assertThat(warnings).isEmpty();
    }

    @Test
    void usesWhatIsCachedWhileTheHubIsDown() throws IOException {
        fetch();
        hub.close();
        assertWhole(fetch());
        assertThat(warnings).hasSize(1).first().asString().contains("cannot be asked", "cached revision is used");
    }

    @Test
    void saysThatTheHubIsDownWhereNothingIsCached() {
        hub.close();
        assertFails(Kind.UNREACHABLE, "cannot be asked", "check the network");
    }

    private Path fetchThrough(Map<String, String> environment, Hub from) {
        return new ModelSource(from, cache(), new Connections(environment), 400, pauses::add, pieceBytes)
                .find(TestHub.REPOSITORY, "main", (done, all) -> {}, warnings::add);
    }

    @Test
    void fetchesThroughTheProxyThatTheEnvironmentNames() throws IOException {
        try (TestProxy proxy = new TestProxy("me:secret")) {
            Hub plain = new Hub(hub.address(), Optional.empty(), false);
            assertWhole(fetchThrough(Map.of("http_proxy", proxy.address("me:secret@")), plain));
            assertThat(proxy.requests).contains(
                    "GET " + hub.address() + "/api/models/org/name/revision/main?blobs=true",
                    "GET " + hub.storeAddress() + "/" + SHARD + "?signed=1");
        }
    }

    @Test
    void givesAProxyNoTokenOfTheHubsInATunnel() throws IOException {
        try (TestProxy proxy = new TestProxy("me:secret")) {
            Hub secure = new Hub(URI.create("https://127.0.0.1:9"), Optional.of("hf_secret"), false);
            assertThatThrownBy(() -> fetchThrough(Map.of("https_proxy", proxy.address("me:secret@")), secure))
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
            assertThatThrownBy(() -> fetchThrough(Map.of("https_proxy", proxy.address("me:secret@")), secure))
                    .hasMessageContaining("407").hasMessageContaining("HTTPS_PROXY").hasMessageNotContaining("secret");
        }
    }

    @Test
    void aProxyThatIsNoneIsSaidAndTheCacheServes() {
        Map<String, String> environment = Map.of("HTTP_PROXY", "socks5://me:secret@proxy:1080");
        Hub plain = new Hub(hub.address(), Optional.empty(), false);
        assertThatThrownBy(() -> fetchThrough(environment, plain))
                .isInstanceOfSatisfying(HubException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNREACHABLE))
                .hasMessageContaining("HTTP_PROXY, not shown for it may hold a password, names no proxy that can be used; allowed: an address like http://").hasMessageNotContaining("secret");
        Path whole = fetch();
        assertThat(fetchThrough(environment, plain)).isEqualTo(whole);
        assertThat(warnings).singleElement().asString().contains("HTTP_PROXY, not shown").doesNotContain("secret");
    }

    @Test
    void saysThatTheCacheCannotBeWritten() throws IOException {
        Files.createFile(repository());
        assertFails(Kind.NO_ROOM, "cannot be written");
    }

    @Test
    void twoAtOnceFetchEachFileOnce() throws Exception {
        Thread other = Thread.ofPlatform().start(this::fetch);
        fetch();
        other.join();
        assertWhole(cache().find(TestHub.REPOSITORY, "main"));
    }

    @Test
    void replacesALinkThatLedElsewhere() throws IOException {
        Path snapshot = Files.createDirectories(repository().resolve("snapshots").resolve(TestHub.COMMIT));
        Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("/etc/hostname"));
        assertWhole(fetch());
        assertThat(Files.readSymbolicLink(snapshot.resolve("config.json")).isAbsolute()).isFalse();
        assertThat(Files.exists(snapshot, LinkOption.NOFOLLOW_LINKS)).isTrue();
    }

    @Test
    void listsWhatTheCacheHolds() {
        fetch();
        assertThat(cache().models()).singleElement().satisfies(model -> {
            assertThat(model.name()).isEqualTo(TestHub.REPOSITORY);
            assertThat(model.revision()).isEqualTo("main");
            assertThat(model.bytes()).isEqualTo(WEIGHTS.length + CONFIG.length);
        });
    }
}
