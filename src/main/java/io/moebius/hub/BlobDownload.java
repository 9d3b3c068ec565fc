package io.moebius.hub;

import io.moebius.hub.HubException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Collections;
import java.util.HexFormat;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/** One file on its way into blobs/: several streams fetch it, and it gets its name once its digest is right. */
final class BlobDownload implements Parallel.Task {

    private static final int STREAMS = 4;
    private static final int BUFFER_BYTES = 1 << 18;
    private static final Duration LOCK_PAUSE = Duration.ofMillis(500);

    private final RemoteFile file;
    private final PartialBlob partial;
    private final long counted;
    private final Path blob;
    private final Path lock;
    private final Supplier<RangeDownload> stream;
    private final RangeDownload.Sleeper sleeper;
    private final LongConsumer counter;

    /**
     * @param folder  of the repository in the cache
     * @param counted bytes of it that are counted as there already
     * @param stream  makes the streams
     * @param counter hears by how many bytes more, or fewer, are there
     */
    BlobDownload(
            RemoteFile file, Path folder, PartialBlob partial, long counted, Supplier<RangeDownload> stream,
            RangeDownload.Sleeper sleeper, LongConsumer counter) {
        this.file = file;
        this.partial = partial;
        this.counted = counted;
        this.blob = folder.resolve("blobs").resolve(file.etag());
        this.lock = folder.resolveSibling(".locks").resolve(folder.getFileName()).resolve(file.etag() + ".lock");
        this.stream = stream;
        this.sleeper = sleeper;
        this.counter = counter;
    }

    /** Returns once the blob is whole; another process of this program that is at it is waited for. */
    @Override
    public void run() throws IOException, InterruptedException {
        Files.createDirectories(lock.getParent());
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = held(channel)) {
            if (Files.isRegularFile(blob) && Files.size(blob) == file.bytes()) {
                counter.accept(file.bytes() - counted);
                return;
            }
            long left = partial.open();
            counter.accept(left - counted);
            String found = fetched();
            if (!found.equals(file.etag()) && left > 0) {
                discard();
                found = fetched();
            }
            if (!found.equals(file.etag())) {
                discard();
                throw new HubException(Kind.DAMAGED, "%s came damaged (digest %s, listed %s) and was removed; try again"
                        .formatted(file.name(), found, file.etag()));
            }
            Files.move(partial.whole(), blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Waits for other processes, and for other threads of this one. */
    private FileLock held(FileChannel channel) throws IOException, InterruptedException {
        while (true) {
            try {
                return channel.lock();
            } catch (OverlappingFileLockException byAThread) {
                sleeper.sleep(LOCK_PAUSE);
            }
        }
    }

    /** @return the digest of what is there then */
    private String fetched() throws IOException, InterruptedException {
        try {
            Parallel.run(Collections.nCopies(STREAMS, this::fetchPieces), STREAMS);
        } catch (HubException e) {
            if (e.kind() == Kind.DAMAGED) {
                discard();
            }
            throw e;
        }
        return digest();
    }

    private void fetchPieces() throws IOException, InterruptedException {
        RangeDownload range = stream.get();
        for (PartialBlob.Piece piece; (piece = partial.next()) != null; ) {
            try {
                range.fetch(piece);
                partial.finished(piece);
            } catch (RangeDownload.RangesIgnored e) {
                counter.accept(-partial.withoutRanges(piece));
            }
        }
    }

    private void discard() throws IOException {
        counter.accept(-partial.arrived());
        partial.discard();
    }

    private String digest() throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance(file.sha256() ? "SHA-256" : "SHA-1");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
        if (!file.sha256()) {
            digest.update(("blob " + file.bytes() + "\0").getBytes(StandardCharsets.US_ASCII));
        }
        try (InputStream in = Files.newInputStream(partial.whole())) {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int count; (count = in.read(buffer)) >= 0; ) {
                digest.update(buffer, 0, count);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
