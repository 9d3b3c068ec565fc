package io.moebius.launch;

import io.moebius.hub.Progress;
import java.time.Duration;
import java.util.Locale;

/** Bytes that arrive, as what a person wants to know: how much, how fast, how long still. A log hears of it every ten seconds. */
final class DownloadProgress implements Progress {

    private final PhaseListener listener;
    private final long pauseNanos = Console.TERMINAL ? 500_000_000L : 10_000_000_000L;
    private long beginNanos;
    private long beginBytes = -1;
    private long saidNanos;

    DownloadProgress(PhaseListener listener) {
        this.listener = listener;
    }

    @Override
    public synchronized void downloaded(long bytes, long allBytes) {
        long now = System.nanoTime();
        if (beginBytes < 0) {
            beginBytes = bytes;
            beginNanos = now;
        }
        if (now - saidNanos < pauseNanos && saidNanos != 0 && bytes < allBytes) {
            return;
        }
        saidNanos = now;
        double seconds = (now - beginNanos) / 1e9;
        double rate = seconds > 1 ? (bytes - beginBytes) / seconds : 0;
        String speed = rate <= 0 ? "" : String.format(
                Locale.ROOT, " at %.1f MB/s, %s", rate / 1e6, Console.left(Duration.ofSeconds(Math.round((allBytes - bytes) / rate))));
        listener.progress(
                allBytes == 0 ? 1 : (double) bytes / allBytes,
                Console.part(bytes, allBytes) + speed);
    }
}
