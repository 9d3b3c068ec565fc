package io.moebius.policy;

import java.util.Arrays;

/** What was measured of one thing: times in nanoseconds, or ratios of two that were taken one after the other. */
final class Samples {

    /**
     * What the samples scatter about, and what it surely is above and below.
     *
     * @param least below the true value with 97.5 %, and
     * @param most  above it with as much
     */
    record Interval(double least, double middle, double most) {}

    /** Standard deviations on either side of the mean that hold 95 % of a normal distribution. */
    private static final double SURE = 1.96;

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

    double last() {
        return values[count - 1];
    }

    /** Infinite where nothing was measured. */
    double median() {
        return count == 0 ? Double.POSITIVE_INFINITY : median(Arrays.stream(values, 0, count).sorted().toArray());
    }

    /**
     * Of one sample or more. The mean of each two samples, the same one twice too, has the middle as its median, and bounds from the
     * ranks of the signed-rank test: as sharp as a mean where noise is normal, and no single outlier moves it (Hodges and Lehmann 1963).
     */
    Interval interval() {
        int pairs = count * (count + 1) / 2;
        double[] means = new double[pairs];
        int next = 0;
        for (int i = 0; i < count; i++) {
            for (int j = i; j < count; j++) {
                means[next++] = (values[i] + values[j]) / 2;
            }
        }
        Arrays.sort(means);
        double deviation = Math.sqrt(pairs * (2.0 * count + 1) / 12);
        int beyond = (int) Math.max(0, pairs / 2.0 - SURE * deviation);
        return new Interval(means[beyond], median(means), means[pairs - 1 - beyond]);
    }

    private static double median(double[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
