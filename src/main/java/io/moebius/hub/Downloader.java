package io.moebius.hub;

import io.moebius.hub.HubException.Kind;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** Fetches a revision into the cache: blobs first, then the snapshot's links, last the reference that makes it found. */
final class Downloader {

    private static final int FILES_AT_ONCE = 4;
    /** What must stay free on the disk: more than the pieces that lie there twice while they are put together. */
    private static final long RESERVE_BYTES = 512 << 20;
    /** By other users' tools, too. */
    private static final Set<PosixFilePermission> READABLE = PosixFilePermissions.fromString("rw-r--r--");

    private final HubTransport transport;
    private final Hub hub;
    private final HubCache cache;
    private final RangeDownload.Sleeper sleeper;
    private final long pieceBytes;

    /** @param pieceBytes what one request asks for */
    Downloader(HubTransport transport, Hub hub, HubCache cache, RangeDownload.Sleeper sleeper, long pieceBytes) {
        this.transport = transport;
        this.hub = hub;
        this.cache = cache;
        this.sleeper = sleeper;
        this.pieceBytes = pieceBytes;
    }

    /** @return the snapshot's folder */
    Path fetch(String repository, String revision, RemoteRevision remote, Progress progress) {
        Path folder = cache.repository(repository);
        try {
            Path snapshot = folder.resolve("snapshots").resolve(remote.commit());
            if (isWhole(snapshot, remote)) {
                note(snapshot, revision, remote);
                return snapshot;
            }
            Files.createDirectories(folder.resolve("blobs"));
            Map<String, RemoteFile> blobs = new LinkedHashMap<>();
            remote.files().forEach(file -> blobs.put(file.etag(), file));
            checkRoom(folder, blobs);
            fetchAll(repository, remote, folder, blobs, progress);
            Files.createDirectories(snapshot);
            for (RemoteFile file : remote.files()) {
                link(snapshot.resolve(file.name()), Path.of("../../blobs").resolve(file.etag()));
            }
            refer(snapshot, revision, remote);
            return snapshot;
        } catch (IOException e) {
            throw noRoom(folder, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HubException(Kind.UNREACHABLE, "the download was interrupted; the same command goes on");
        }
    }

    /** Whether all is there, whoever fetched it: then nothing is written, and a cache may be read-only. */
    private static boolean isWhole(Path snapshot, RemoteRevision remote) throws IOException {
        for (RemoteFile file : remote.files()) {
            Path path = snapshot.resolve(file.name());
            if (!Files.isRegularFile(path) || Files.size(path) != file.bytes()) {
                return false;
            }
        }
        return true;
    }

    /** A snapshot that is there already gets the name that it was asked for by, where the cache can be written. */
    private static void note(Path snapshot, String revision, RemoteRevision remote) {
        try {
            refer(snapshot, revision, remote);
        } catch (IOException readOnly) {
            // Its commit finds it all the same.
        }
    }

    /** Makes the snapshot found without the Hub: by the revision's name, and without a tokenizer if the repository has none. */
    private static void refer(Path snapshot, String revision, RemoteRevision remote) throws IOException {
        Path absent = new Snapshot(snapshot).knownToLack(Snapshot.TOKENIZER);
        if (!remote.has(Snapshot.TOKENIZER) && !Files.exists(absent)) {
            Files.createDirectories(absent.getParent());
            Files.write(absent, new byte[0]);
        }
        Path reference = snapshot.resolve("../../refs").resolve(revision).normalize();
        if (revision.equals(remote.commit()) || HubCache.content(reference).equals(remote.commit())) {
            return;
        }
        Files.createDirectories(reference.getParent());
        Path next = Files.createTempFile(reference.getParent(), ".ref", "");
        Files.writeString(next, remote.commit());
        Files.setPosixFilePermissions(next, READABLE);
        Files.move(next, reference, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static HubException noRoom(Path folder, IOException e) {
        String reason = e instanceof FileSystemException system && system.getReason() != null
                ? system.getReason()
                : e.getClass().getSimpleName() + ": " + e.getMessage();
        return new HubException(Kind.NO_ROOM, "the cache %s cannot be written (%s); make room there, mount one that can, or set HF_HUB_CACHE"
                .formatted(folder, Hub.oneLine(reason)));
    }

    private void checkRoom(Path folder, Map<String, RemoteFile> blobs) throws IOException {
        long needed = 0;
        for (RemoteFile file : blobs.values()) {
            needed += file.bytes() - arrived(folder, file);
        }
        long free = Files.getFileStore(folder).getUsableSpace();
        if (needed > 0 && needed + RESERVE_BYTES > free) {
            throw new HubException(Kind.NO_ROOM, String.format(
                    Locale.ROOT, "%s has room for %.1f GB, the model needs %.1f GB more; make room, or set HF_HUB_CACHE to another disk",
                    folder, free / 1e9, (needed + RESERVE_BYTES) / 1e9));
        }
    }

    private PartialBlob partial(Path folder, RemoteFile file) {
        return new PartialBlob(folder.resolve("blobs"), file, pieceBytes);
    }

    private long arrived(Path folder, RemoteFile file) throws IOException {
        return Files.isRegularFile(folder.resolve("blobs").resolve(file.etag())) ? file.bytes() : partial(folder, file).arrived();
    }

    private void fetchAll(String repository, RemoteRevision remote, Path folder, Map<String, RemoteFile> blobs, Progress progress)
            throws IOException, InterruptedException {
        long all = blobs.values().stream().mapToLong(RemoteFile::bytes).sum();
        AtomicLong done = new AtomicLong();
        LongConsumer counter = bytes -> progress.downloaded(done.addAndGet(bytes), all);
        List<BlobDownload> downloads = new ArrayList<>();
        for (RemoteFile file : blobs.values()) {
            long arrived = arrived(folder, file);
            done.addAndGet(arrived);
            downloads.add(new BlobDownload(
                    file, folder, partial(folder, file), arrived,
                    () -> new RangeDownload(transport, hub, repository, remote.commit(), file, sleeper, counter), sleeper, counter));
        }
        counter.accept(0);
        Parallel.run(downloads, FILES_AT_ONCE);
    }

    private static void link(Path link, Path target) throws IOException {
        if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(target)) {
            return;
        }
        if (Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            Files.delete(link);
        }
        try {
            Files.createSymbolicLink(link, target);
        } catch (FileAlreadyExistsException byAnother) {
            // Another process was at the same.
        }
    }
}
