package io.moebius.launch;

import java.util.Locale;

/**
 * How fast weights are loaded.
 *
 * @param bytes   of all weights
 * @param started {@link System#nanoTime} when loading began
 */
record LoadRate(long bytes, long started) {

    static LoadRate of(long bytes) {
        return new LoadRate(bytes, System.nanoTime());
    }

    /** For people, when {@code fraction} of the bytes is loaded. */
    String at(double fraction) {
        double seconds = Math.max(1, System.nanoTime() - started) / 1e9;
        return String.format(
                Locale.ROOT, "%s in %.1f s, %.2f GB/s", Console.size((long) (fraction * bytes)), seconds, fraction * bytes / seconds / 1e9);
    }
}
