package io.moebius.hub;

import io.moebius.hub.HubException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * One file on its way into blobs/: it grows as ETAG.incomplete, the name that other tools give it too, goes on from wherever it broke,
 * and gets its own name once its digest is right.
 */
final class BlobDownload {

    private static final int BUFFER_BYTES = 1 << 18;
    private static final int MOST_FAILURES = 6;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

    private final HubTransport transport;
    private final Hub hub;
    private final String repository;
    private final String commit;
    private final RemoteFile file;
    private final Path blob;
    private final Path partial;
    private final Path lock;
    private final Sleeper sleeper;
    private final LongConsumer counter;

    /** Waits between attempts. */
    interface Sleeper {
        void sleep(Duration pause) throws InterruptedException;
    }

    /**
     * @param folder  of the repository in the cache
     * @param counter hears by how many bytes more, or fewer, are there
     */
    BlobDownload(
            HubTransport transport, Hub hub, String repository, String commit, RemoteFile file, Path folder, Sleeper sleeper,
            LongConsumer counter) {
        this.transport = transport;
        this.hub = hub;
        this.repository = repository;
        this.commit = commit;
        this.file = file;
        this.blob = folder.resolve("blobs").resolve(file.etag());
        this.partial = folder.resolve("blobs").resolve(file.etag() + ".incomplete");
        this.lock = folder.resolveSibling(".locks").resolve(folder.getFileName()).resolve(file.etag() + ".lock");
        this.sleeper = sleeper;
        this.counter = counter;
    }

    /** Returns once the blob is whole; another process that is at it is waited for. */
    void run() throws IOException, InterruptedException {
        Files.createDirectories(lock.getParent());
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = held(channel)) {
            if (Files.isRegularFile(blob) && Files.size(blob) == file.bytes()) {
                counter.accept(file.bytes());
                return;
            }
            fetch();
            verify();
            Files.move(partial, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Waits for other processes, and for other threads of this one. */
    private FileLock held(FileChannel channel) throws IOException, InterruptedException {
        while (true) {
            try {
                return channel.lock();
            } catch (OverlappingFileLockException byAThread) {
                sleeper.sleep(FIRST_PAUSE);
            }
        }
    }

    private void fetch() throws IOException, InterruptedException {
        try (FileChannel out = FileChannel.open(partial, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            if (out.size() > file.bytes()) {
                out.truncate(0);
            }
            counter.accept(out.size());
            int failures = 0;
            Duration pause = FIRST_PAUSE;
            while (out.size() < file.bytes()) {
                long before = out.size();
                Duration asked = Duration.ZERO;
                try {
                    asked = attempt(out);
                } catch (FileSystemException e) {
                    throw e;
                } catch (IOException e) {
                    failures++;
                    if (failures >= MOST_FAILURES) {
                        throw new HubException(Kind.UNREACHABLE, "%s of %s cannot be fetched from %s: %s; the same command goes on from byte %d"
                                .formatted(file.name(), repository, hub, Hub.oneLine(String.valueOf(e.getMessage())), out.size()));
                    }
                }
                if (out.size() > before) {
                    failures = 0;
                    pause = FIRST_PAUSE;
                }
                if (out.size() < file.bytes()) {
                    sleeper.sleep(asked.compareTo(pause) > 0 ? asked : pause);
                    pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
                }
            }
            out.force(true);
        }
    }

    /** @return how long the Hub asks to wait; zero if it does not */
    private Duration attempt(FileChannel out) throws IOException {
        long have = out.size();
        String path = "/" + repository + "/resolve/" + commit + "/" + URLEncoder.encode(file.name(), StandardCharsets.UTF_8);
        Map<String, String> range = have == 0 ? Map.of() : Map.of("Range", "bytes=" + have + "-");
        try (HubTransport.Answer answer = transport.get(path, range)) {
            switch (answer.status()) {
                case HttpURLConnection.HTTP_OK -> restart(out);
                case HttpURLConnection.HTTP_PARTIAL -> checkRange(answer, out, have);
                case 416 -> {
                    restart(out);
                    throw new IOException("the Hub has no bytes from " + have + " on");
                }
                case 429, 500, 502, 503, 504 -> {
                    Duration asked = retryAfter(answer);
                    if (asked.isZero()) {
                        throw new IOException("HTTP status " + answer.status());
                    }
                    return countedPause(asked, answer.status());
                }
                default -> throw RemoteRevision.refusal(answer, hub, repository, commit);
            }
            if (!answer.etag().isEmpty() && !answer.etag().equals(file.etag())) {
                restart(out);
                throw new HubException(Kind.DAMAGED, "%s of %s is not the file that %s lists (etag %s, listed %s); try again later"
                        .formatted(file.name(), repository, hub, Hub.oneLine(answer.etag()), file.etag()));
            }
            copy(answer.body(), out);
            return Duration.ZERO;
        }
    }

    private int pauses;

    /** A Hub that asks to wait again and again is not waited for without end. */
    private Duration countedPause(Duration asked, int status) throws IOException {
        if (++pauses > MOST_FAILURES) {
            throw new HubException(Kind.UNREACHABLE, "%s answers %d for %s of %s again and again; try later"
                    .formatted(hub, status, file.name(), repository));
        }
        return asked;
    }

    private void checkRange(HubTransport.Answer answer, FileChannel out, long have) throws IOException {
        String range = answer.header("Content-Range");
        if (!range.equals("bytes %d-%d/%d".formatted(have, file.bytes() - 1, file.bytes()))) {
            restart(out);
            throw new IOException("the Hub sends the range \"%s\" instead of bytes from %d on".formatted(Hub.oneLine(range), have));
        }
    }

    private void restart(FileChannel out) throws IOException {
        counter.accept(-out.size());
        out.truncate(0);
    }

    private void copy(InputStream body, FileChannel out) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        out.position(out.size());
        while (true) {
            int count = body.read(buffer);
            if (count < 0) {
                if (out.size() < file.bytes()) {
                    throw new IOException("the connection ended at byte %d of %d".formatted(out.size(), file.bytes()));
                }
                return;
            }
            if (out.size() + count > file.bytes()) {
                restart(out);
                throw new HubException(Kind.DAMAGED, "%s sends more than the %d bytes of %s that it lists".formatted(hub, file.bytes(), file.name()));
            }
            ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, count);
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
            counter.accept(count);
        }
    }

    private static Duration retryAfter(HubTransport.Answer answer) {
        String seconds = answer.header("Retry-After");
        if (!seconds.matches("\\d{1,6}")) {
            return Duration.ZERO;
        }
        Duration asked = Duration.ofSeconds(Long.parseLong(seconds));
        return asked.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : asked;
    }

    private void verify() throws IOException {
        MessageDigest digest = digest();
        if (!file.sha256()) {
            digest.update(("blob " + file.bytes() + "\0").getBytes(StandardCharsets.US_ASCII));
        }
        try (InputStream in = Files.newInputStream(partial)) {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int count; (count = in.read(buffer)) >= 0; ) {
                digest.update(buffer, 0, count);
            }
        }
        String found = HexFormat.of().formatHex(digest.digest());
        if (!found.equals(file.etag())) {
            Files.delete(partial);
            counter.accept(-file.bytes());
            throw new HubException(Kind.DAMAGED, "%s of %s came damaged (digest %s, listed %s) and was removed; try again"
                    .formatted(file.name(), repository, found, file.etag()));
        }
    }

    private MessageDigest digest() {
        try {
            return MessageDigest.getInstance(file.sha256() ? "SHA-256" : "SHA-1");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
