package io.moebius.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What has arrived of a content: ETAG.incomplete holds its first bytes without a gap, as every tool expects of that name; what streams
 * further on have fetched lies in ETAG.parts/START, a file per piece, until the prefix reaches it. A process may die at any moment.
 */
final class PartialBlob {

    private final Path prefix;
    private final Path parts;
    private final long bytes;
    private final long pieceBytes;
    private final Set<Long> partsUnderWay = new HashSet<>();
    private Piece leading;
    private boolean ranges = true;

    /** @param pieceBytes what one request asks for */
    PartialBlob(Path blobs, RemoteFile file, long pieceBytes) {
        this.prefix = blobs.resolve(file.etag() + ".incomplete");
        this.parts = blobs.resolve(file.etag() + ".parts");
        this.bytes = file.bytes();
        this.pieceBytes = pieceBytes;
    }

    /**
     * A range that one stream fetches by appending to a file.
     *
     * @param base byte of the content that is the file's first
     * @param end  byte of the content before which it ends
     * @param range whether it may be asked for as a range; else all of the content is sent again
     */
    record Piece(Path path, long base, long end, boolean range) {}

    /**
     * Takes up what earlier runs and other tools left.
     *
     * @return bytes that are there
     */
    synchronized long open() throws IOException {
        if (size(prefix) > bytes) {
            Files.delete(prefix);
        }
        for (long start : starts()) {
            if (start % pieceBytes != 0 || start + size(part(start)) > end(start)) {
                Files.delete(part(start));
            }
        }
        absorb();
        if (!Files.exists(prefix)) {
            Files.createFile(prefix);
        }
        return arrived();
    }

    /** Bytes that are there. */
    synchronized long arrived() throws IOException {
        long sum = size(prefix);
        for (long start : starts()) {
            sum += size(part(start));
        }
        return Math.min(sum, bytes);
    }

    /** The first piece that nobody fetches, or null where there is none. */
    synchronized Piece next() throws IOException {
        long start = leading == null ? size(prefix) : leading.end();
        if (leading == null && start < bytes && !partsUnderWay.contains(start)) {
            leading = new Piece(prefix, 0, ranges ? end(start) : bytes, ranges);
            return leading;
        }
        for (; ranges && start < bytes; start = end(start)) {
            if (!partsUnderWay.contains(start) && size(part(start)) < end(start) - start) {
                partsUnderWay.add(start);
                Files.createDirectories(parts);
                return new Piece(part(start), start, end(start), true);
            }
        }
        return null;
    }

    synchronized void finished(Piece piece) throws IOException {
        giveBack(piece);
        absorb();
    }

    /**
     * The Hub answers a range with everything: from now on one stream fetches the rest at once.
     *
     * @return bytes that were thrown away
     */
    synchronized long withoutRanges(Piece asked) throws IOException {
        ranges = false;
        giveBack(asked);
        if (asked.path().equals(prefix)) {
            return 0;
        }
        long thrown = size(asked.path());
        Files.deleteIfExists(asked.path());
        return thrown;
    }

    /** All has arrived and is moved to where it belongs. */
    Path whole() {
        return prefix;
    }

    synchronized void discard() throws IOException {
        for (long start : starts()) {
            Files.delete(part(start));
        }
        Files.deleteIfExists(parts);
        Files.deleteIfExists(prefix);
    }

    private void giveBack(Piece piece) {
        if (piece == leading) {
            leading = null;
        } else {
            partsUnderWay.remove(piece.base());
        }
    }

    /** Appends the parts that the prefix has reached. A process that dies here leaves a longer prefix and a part that is taken again. */
    private void absorb() throws IOException {
        if (leading != null) {
            return;
        }
        for (long start : starts()) {
            long have = size(prefix);
            if (start > have || partsUnderWay.contains(start)) {
                return;
            }
            append(part(start), have - start);
            Files.delete(part(start));
        }
        Files.deleteIfExists(parts);
    }

    private void append(Path part, long from) throws IOException {
        try (FileChannel in = FileChannel.open(part, StandardOpenOption.READ);
                FileChannel out = FileChannel.open(prefix, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            out.position(out.size());
            for (long at = from; at < in.size(); ) {
                at += in.transferTo(at, in.size() - at, out);
            }
        }
    }

    /** Of the parts that are there, in their order. */
    private long[] starts() throws IOException {
        if (!Files.isDirectory(parts)) {
            return new long[0];
        }
        try (Stream<Path> files = Files.list(parts)) {
            return files.map(path -> path.getFileName().toString()).filter(name -> name.matches("\\d{1,15}")).mapToLong(Long::parseLong)
                    .sorted().toArray();
        }
    }

    private Path part(long start) {
        return parts.resolve(Long.toString(start));
    }

    private long end(long start) {
        return Math.min(bytes, (start / pieceBytes + 1) * pieceBytes);
    }

    private static long size(Path path) throws IOException {
        return Files.isRegularFile(path) ? Files.size(path) : 0;
    }
}
