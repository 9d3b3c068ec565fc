package io.moebius.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.hub.HubException.Kind;
import io.moebius.net.Connections;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/** A model of two files on a Hub of its own, and an empty cache to fetch it into. */
final class HubModel implements AutoCloseable {

    static final byte[] WEIGHTS = random(300_000, 1);
    static final byte[] CONFIG = "{\"architectures\": [\"MixtralForCausalLM\"]}".getBytes();
    static final String SHARD = "model.safetensors";

    private static final int STALL_MILLIS = 400;
    private static final long PIECE_BYTES = 1 << 20;
    private static final Map<String, String> NO_PROXY = Map.of();
    private static final Progress UNHEARD = (bytes, all) -> {};

    final TestHub hub = new TestHub().file("config.json", CONFIG).file(SHARD, WEIGHTS);
    /** That would have been made between attempts. */
    final List<Duration> pauses = Collections.synchronizedList(new ArrayList<>());
    final List<String> warnings = new ArrayList<>();
    private final Path folder;

    /** @param folder of the cache */
    HubModel(Path folder) {
        this.folder = folder;
    }

    static byte[] random(int count, long seed) {
        byte[] bytes = new byte[count];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    HubCache cache() {
        return new HubCache(folder);
    }

    Path repository() {
        return folder.resolve("models--org--name");
    }

    Path snapshot() {
        return repository().resolve("snapshots").resolve(TestHub.COMMIT);
    }

    Path blob(String name, byte[] content) {
        return repository().resolve("blobs").resolve(TestHub.etag(name, content));
    }

    /** Of the weights. */
    Path lock() {
        return folder.resolve(".locks/models--org--name").resolve(TestHub.etag(SHARD, WEIGHTS) + ".lock");
    }

    /** As another tool does. */
    void leave(Path file, byte[] content) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(file, content);
    }

    /** Where the weights lie until all of them are there. */
    Path incomplete() {
        return Path.of(blob(SHARD, WEIGHTS) + ".incomplete");
    }

    /** The Hub as one that wants no token. */
    Hub open() {
        return new Hub(hub.address(), Optional.empty(), false);
    }

    Path fetch() {
        return fetch("main");
    }

    Path fetch(String revision) {
        return fetch(open(), NO_PROXY, revision, PIECE_BYTES, UNHEARD);
    }

    Path fetchOffline(String revision) {
        return fetch(new Hub(hub.address(), Optional.empty(), true), NO_PROXY, revision, PIECE_BYTES, UNHEARD);
    }

    Path fetchWithToken(String token) {
        return fetch(new Hub(hub.address(), Optional.of(token), false), NO_PROXY, "main", PIECE_BYTES, UNHEARD);
    }

    Path fetchInPieces(long pieceBytes) {
        return fetch(open(), NO_PROXY, "main", pieceBytes, UNHEARD);
    }

    Path fetchTelling(Progress progress) {
        return fetch(open(), NO_PROXY, "main", PIECE_BYTES, progress);
    }

    Path fetchThrough(Map<String, String> environment, Hub from) {
        return fetch(from, environment, "main", PIECE_BYTES, UNHEARD);
    }

    private Path fetch(Hub from, Map<String, String> environment, String revision, long pieceBytes, Progress progress) {
        return source(from, environment, pieceBytes).find(TestHub.REPOSITORY, revision, progress, warnings::add);
    }

    private ModelSource source(Hub from, Map<String, String> environment, long pieceBytes) {
        return new ModelSource(from, cache(), new Connections(environment), STALL_MILLIS, pauses::add, pieceBytes);
    }

    /** What a model of any name is found as. */
    Path find(String name) {
        return source(open(), NO_PROXY, PIECE_BYTES).find(name, "main", UNHEARD, warnings::add);
    }

    void assertWhole(Path snapshot) throws IOException {
        assertThat(Files.readAllBytes(snapshot.resolve(SHARD))).isEqualTo(WEIGHTS);
        assertThat(Files.readAllBytes(snapshot.resolve("config.json"))).isEqualTo(CONFIG);
        try (Stream<Path> blobs = Files.list(repository().resolve("blobs"))) {
            assertThat(blobs.map(Path::toString)).noneMatch(name -> name.endsWith(".incomplete"));
        }
    }

    void assertFails(Kind kind, String... words) {
        assertThatThrownBy(this::fetch).isInstanceOfSatisfying(HubException.class, e -> {
            assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind);
            assertThat(e.getMessage()).contains(words).doesNotContain("\n");
        });
        assertThat(repository().resolve("refs/main")).doesNotExist();
    }

    @Override
    public void close() {
        hub.close();
    }
}
