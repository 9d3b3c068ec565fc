package io.moebius.hub;

import io.moebius.hub.HubException.Kind;
import io.moebius.net.Connections;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Gives the folder of a model: a local one, or one of the cache, fetched from the Hub where something of it is missing. */
public final class ModelSource {

    private static final int CONNECT_MILLIS = 10_000;
    private static final int STALL_MILLIS = 30_000;
    private static final long PIECE_BYTES = 64 << 20;

    private final Hub hub;
    private final HubCache cache;
    private final HubTransport transport;
    private final Downloader downloader;
    private final RangeDownload.Sleeper sleeper;

    public static ModelSource of(Map<String, String> environment) {
        return new ModelSource(
                Hub.of(environment), HubCache.of(environment), new Connections(environment), STALL_MILLIS, Thread::sleep, PIECE_BYTES);
    }

    ModelSource(
            Hub hub, HubCache cache, Connections connections, int stallMillis, RangeDownload.Sleeper sleeper, long pieceBytes) {
        this.hub = hub;
        this.cache = cache;
        this.sleeper = sleeper;
        this.transport = new HubTransport(hub, connections, CONNECT_MILLIS, stallMillis);
        this.downloader = new Downloader(transport, hub, cache, sleeper, pieceBytes);
    }

    /**
     * @param model    a folder's path, or ORGANISATION/NAME
     * @param revision branch, tag or commit; ignored for a folder
     * @param warning  hears if the Hub cannot be asked and what is cached is used
     * @throws HubException if there is no such model, or it cannot be fetched
     */
    public Path find(String model, String revision, Progress progress, Consumer<String> warning) {
        if (isFolder(model)) {
            return Path.of(model);
        }
        HubCache.checkNames(model, revision);
        String wanted = cache.inFull(model, revision);
        return hub.offline() ? offline(model, wanted) : online(model, wanted, progress, warning);
    }

    private static boolean isFolder(String path) {
        try {
            return Files.isDirectory(Path.of(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private Path offline(String model, String revision) {
        try {
            return cache.find(model, revision);
        } catch (HubException e) {
            throw new HubException(Kind.UNREACHABLE, e.getMessage() + "; HF_HUB_OFFLINE forbids to fetch it: unset it, or give a folder");
        }
    }

    private Path online(String model, String revision, Progress progress, Consumer<String> warning) {
        RemoteRevision remote;
        try {
            remote = list(model, revision);
        } catch (IOException e) {
            String reason = "%s cannot be asked about %s (%s)".formatted(transport.target(), model, reason(e));
            try {
                Path cached = cache.find(model, revision);
                warning.accept(reason + "; the cached revision is used");
                return cached;
            } catch (HubException notThere) {
                throw new HubException(Kind.UNREACHABLE, "%s, and %s; check the network, HF_ENDPOINT and HTTPS_PROXY".formatted(reason, notThere.getMessage()));
            }
        }
        try {
            Path snapshot = downloader.fetch(model, revision, remote, progress);
            HubCache.checkLinks(snapshot, cache.repository(model));
            return snapshot;
        } catch (HubException e) {
            Optional<Path> cached = e.kind() == Kind.UNREACHABLE ? cache.cached(model, revision) : Optional.empty();
            if (cached.isEmpty()) {
                throw e;
            }
            warning.accept(e.getMessage() + "; the cached revision is used");
            return cached.get();
        }
    }

    /** A busy Hub is asked again where nothing is cached that could serve. */
    private RemoteRevision list(String model, String revision) throws IOException {
        Backoff backoff = new Backoff();
        for (int failures = 1; ; failures++) {
            try {
                return RemoteRevision.of(transport, hub, model, revision);
            } catch (BusyException e) {
                if (failures == RangeDownload.MOST_FAILURES || cache.cached(model, revision).isPresent()) {
                    throw e;
                }
                sleep(backoff.next(e.asked()));
            }
        }
    }

    private void sleep(Duration pause) throws InterruptedIOException {
        try {
            sleeper.sleep(pause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    private static String reason(IOException e) {
        return switch (e) {
            case UnknownHostException unknown -> "the name %s cannot be resolved".formatted(Hub.oneLine(String.valueOf(unknown.getMessage())));
            case SocketTimeoutException timeout -> "no answer in time";
            default -> Hub.oneLine(String.valueOf(e.getMessage()));
        };
    }
}
