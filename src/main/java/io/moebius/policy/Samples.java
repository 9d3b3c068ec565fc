package io.moebius.policy;

import java.util.Arrays;

/** What was measured of one thing: times in nanoseconds, or ratios of two. */
final class Samples {

    private double[] values = new double[8];
    private int count;

    void add(double value) {
        if (count == values.length) {
            values = Arrays.copyOf(values, 2 * count);
        }
        values[count++] = value;
    }

    int count() {
        return count;
    }

    /** Infinite where nothing was measured. */
    double median() {
        if (count == 0) {
            return Double.POSITIVE_INFINITY;
        }
        return median(Arrays.copyOf(values, count));
    }

    /** Half the width of what the median's error may be, as a share of it: 1.86 median deviations over the root of the count. */
    double noise() {
        double median = median();
        double[] deviations = Arrays.stream(values, 0, count).map(value -> Math.abs(value - median)).toArray();
        return 1.86 * median(deviations) / Math.sqrt(count) / median;
    }

    /** The share of all pairs in which this one is the smaller (Mann and Whitney 1947). */
    double wins(Samples other) {
        long wins = 0;
        for (int i = 0; i < count; i++) {
            for (int j = 0; j < other.count; j++) {
                wins += values[i] < other.values[j] ? 1 : 0;
            }
        }
        return (double) wins / count / other.count;
    }

    /** The smallest but {@code rank}. */
    double ranked(int rank) {
        return Arrays.stream(values, 0, count).sorted().skip(rank).findFirst().orElseThrow();
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        int middle = values.length / 2;
        return values.length % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
