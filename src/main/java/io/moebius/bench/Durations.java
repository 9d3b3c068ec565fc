package io.moebius.bench;

import java.util.Arrays;

/** Grows by one number per token: nanoseconds. */
final class Durations {

    private long[] nanos = new long[1024];
    private int count;

    void add(long more) {
        if (count == nanos.length) {
            nanos = Arrays.copyOf(nanos, 2 * count);
        }
        nanos[count++] = more;
    }

    /** In milliseconds, by nearest rank; null where nothing was measured. */
    ServingReport.Percentiles percentiles() {
        if (count == 0) {
            return null;
        }
        long[] sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        return new ServingReport.Percentiles(rank(sorted, 50), rank(sorted, 90), rank(sorted, 99));
    }

    private static double rank(long[] sorted, int percent) {
        return sorted[(int) (((long) sorted.length * percent + 99) / 100) - 1] / 1e6;
    }
}
