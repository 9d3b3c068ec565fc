package io.moebius.policy;

import java.util.Arrays;

/** Measured times of one thing, in nanoseconds. */
final class Samples {

    private long[] times = new long[8];
    private int count;

    void add(long nanos) {
        if (count == times.length) {
            times = Arrays.copyOf(times, 2 * count);
        }
        times[count++] = nanos;
    }

    int count() {
        return count;
    }

    /** Infinite where nothing was measured. */
    double median() {
        if (count == 0) {
            return Double.POSITIVE_INFINITY;
        }
        return median(Arrays.copyOf(times, count));
    }

    /** Half the width of what the median's error may be, as a share of it: 1.86 median deviations over the root of the count. */
    double noise() {
        double median = median();
        long[] deviations = Arrays.stream(times, 0, count).map(time -> Math.abs(time - (long) median)).toArray();
        return 1.86 * median(deviations) / Math.sqrt(count) / Math.max(median, 1);
    }

    /** The share of all pairs in which this one's time is the shorter (Mann and Whitney 1947). */
    double wins(Samples other) {
        long wins = 0;
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < other.count; j++) {
                wins += times[i] < other.times[j] ? 1 : 0;
            }
        }
        return (double) wins / count / other.count;
    }

    private static double median(long[] values) {
        Arrays.sort(values);
        int middle = values.length / 2;
        return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2.0;
    }
}
