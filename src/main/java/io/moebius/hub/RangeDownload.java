package io.moebius.hub;

import io.moebius.hub.HubException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.function.LongConsumer;

/** One stream of a file of the Hub: it goes on from wherever it broke, and waits between attempts as long as the Hub asks. */
final class RangeDownload {

    private static final int BUFFER_BYTES = 1 << 18;
    static final int MOST_FAILURES = 6;

    private final HubTransport transport;
    private final Hub hub;
    private final String repository;
    private final String commit;
    private final RemoteFile file;
    private final Sleeper sleeper;
    private final LongConsumer counter;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private int pauses;

    /** Waits between attempts. */
    interface Sleeper {
        void sleep(Duration pause) throws InterruptedException;
    }

    /** The Hub answers a range with everything. */
    static final class RangesIgnored extends IOException {

        private static final long serialVersionUID = 1;
    }

    /** @param counter hears how many bytes more have arrived */
    RangeDownload(
            HubTransport transport, Hub hub, String repository, String commit, RemoteFile file, Sleeper sleeper, LongConsumer counter) {
        this.transport = transport;
        this.hub = hub;
        this.repository = repository;
        this.commit = commit;
        this.file = file;
        this.sleeper = sleeper;
        this.counter = counter;
    }

    /** Returns once the piece is whole. */
    void fetch(PartialBlob.Piece piece) throws IOException, InterruptedException {
        try (FileChannel out = FileChannel.open(piece.path(), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            int failures = 0;
            Backoff backoff = new Backoff();
            while (piece.base() + out.size() < piece.end()) {
                long before = out.size();
                Duration asked = Duration.ZERO;
                try {
                    asked = attempt(piece, out);
                } catch (FileSystemException | RangesIgnored e) {
                    throw e;
                } catch (IOException e) {
                    failures++;
                    if (failures >= MOST_FAILURES) {
                        throw new HubException(Kind.UNREACHABLE, "%s of %s cannot be fetched from %s: %s; the same command goes on from byte %d"
                                .formatted(file.name(), repository, hub, Hub.oneLine(String.valueOf(e.getMessage())), piece.base() + out.size()));
                    }
                }
                if (out.size() > before) {
                    failures = 0;
                    backoff.reset();
                }
                if (piece.base() + out.size() < piece.end()) {
                    sleeper.sleep(backoff.next(asked));
                }
            }
            out.force(true);
        }
    }

    /** @return how long the Hub asks to wait; zero if it does not */
    private Duration attempt(PartialBlob.Piece piece, FileChannel out) throws IOException {
        long from = piece.base() + out.size();
        boolean range = piece.range() && piece.end() - from < file.bytes();
        String path = "/" + repository + "/resolve/" + commit + "/" + URLEncoder.encode(file.name(), StandardCharsets.UTF_8);
        Map<String, String> headers = range ? Map.of("Range", "bytes=%d-%d".formatted(from, piece.end() - 1)) : Map.of();
        try (HubTransport.Answer answer = transport.get(path, headers)) {
            if (answer.busy()) {
                return pause(answer);
            }
            switch (answer.status()) {
                case HttpURLConnection.HTTP_OK -> {
                    if (range) {
                        throw new RangesIgnored();
                    }
                }
                case HttpURLConnection.HTTP_PARTIAL -> checkRange(answer, range, from, piece.end());
                case 416 -> throw new IOException("the Hub has no bytes from " + from + " on");
                default -> throw RemoteRevision.refusal(answer, hub, repository, commit);
            }
            if (!answer.etag().isEmpty() && !answer.etag().equals(file.etag())) {
                throw new HubException(Kind.DAMAGED, "%s of %s is not the file that %s lists (etag %s, listed %s); try again later"
                        .formatted(file.name(), repository, hub, Hub.oneLine(answer.etag()), file.etag()));
            }
            InputStream body = answer.body();
            if (!range) {
                body.skipNBytes(from);
            }
            copy(body, piece, out);
            return Duration.ZERO;
        }
    }

    /** A Hub that asks to wait again and again is not waited for without end. */
    private Duration pause(HubTransport.Answer answer) throws IOException {
        Duration asked = answer.retryAfter();
        if (asked.isZero()) {
            throw new BusyException(answer.status(), asked);
        }
        if (++pauses > MOST_FAILURES) {
            throw new HubException(Kind.UNREACHABLE, "%s answers %d for %s of %s again and again; try later"
                    .formatted(hub, answer.status(), file.name(), repository));
        }
        return asked;
    }

    private void checkRange(HubTransport.Answer answer, boolean asked, long from, long end) throws IOException {
        String range = answer.header("Content-Range");
        if (!asked || !range.equals("bytes %d-%d/%d".formatted(from, end - 1, file.bytes()))) {
            throw new IOException("the Hub sends the range \"%s\" instead of bytes %d to %d".formatted(Hub.oneLine(range), from, end - 1));
        }
    }

    private void copy(InputStream body, PartialBlob.Piece piece, FileChannel out) throws IOException {
        long at = out.size();
        for (int count; (count = body.read(buffer)) >= 0; ) {
            if (piece.base() + at + count > piece.end()) {
                throw new HubException(Kind.DAMAGED, "%s sends more than the %d bytes of %s that it lists".formatted(hub, file.bytes(), file.name()));
            }
            if (out.size() != at) {
                throw new HubException(Kind.NO_ROOM, "another program writes to %s; wait until it has ended".formatted(piece.path()));
            }
            write(ByteBuffer.wrap(buffer, 0, count), piece, out, at);
            at += count;
            counter.accept(count);
        }
        if (piece.base() + at < piece.end()) {
            throw new IOException("the connection ended at byte %d of %d".formatted(piece.base() + at, file.bytes()));
        }
    }

    /** A disk that is full is no failure of the connection: no other attempt would mend it. */
    private static void write(ByteBuffer bytes, PartialBlob.Piece piece, FileChannel out, long at) throws FileSystemException {
        try {
            for (long position = at; bytes.hasRemaining(); ) {
                position += out.write(bytes, position);
            }
        } catch (IOException e) {
            throw new FileSystemException(piece.path().toString(), null, e.getMessage());
        }
    }
}
