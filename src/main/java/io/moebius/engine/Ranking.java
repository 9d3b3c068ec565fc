package io.moebius.engine;

import java.util.Arrays;
import java.util.function.IntToLongFunction;

/**
 * Finds the largest of many values without sorting them all: quickselect (Hoare 1961), by count or by weight. Each value
 * becomes one long whose order is that of the values, equal ones by lower id.
 */
final class Ranking {

    private final long[] keys;

    Ranking(int size) {
        keys = new long[size];
    }

    void fill(float[] values) {
        for (int id = 0; id < keys.length; id++) {
            int bits = Float.floatToRawIntBits(values[id] + 0f);
            int ordered = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
            keys[id] = ((long) ordered << 32) | (~id & 0xffff_ffffL);
        }
    }

    /** The id of entry {@code i}. */
    int id(int i) {
        return ~(int) keys[i];
    }

    /**
     * Moves the shortest run of largest entries whose weights sum to {@code need} before all others.
     *
     * @param count entries that take part, from the first
     * @return length of that run, at least 1; {@code count} if all together fall short
     */
    int select(int count, long need, IntToLongFunction weight) {
        int low = 0;
        int high = count;
        long left = need;
        while (high - low > 1) {
            int split = partition(low, high);
            long sum = 0;
            for (int i = low; i < split; i++) {
                sum += weight.applyAsLong(id(i));
            }
            if (sum >= left) {
                high = split;
            } else {
                left -= sum;
                low = split;
            }
        }
        return high;
    }

    /** The ids of the {@code count} largest entries, best first. */
    int[] best(int count) {
        int selected = select(keys.length, count, id -> 1);
        Arrays.sort(keys, 0, selected);
        int[] ids = new int[selected];
        for (int i = 0; i < selected; i++) {
            ids[i] = id(selected - 1 - i);
        }
        return ids;
    }

    /** Splits so that each entry before the returned index is larger than each from it on; neither part is empty. */
    private int partition(int low, int high) {
        long pivot = keys[(low + high - 1) >>> 1];
        int i = low - 1;
        int j = high;
        while (true) {
            do {
                i++;
            } while (keys[i] > pivot);
            do {
                j--;
            } while (keys[j] < pivot);
            if (i >= j) {
                return j + 1;
            }
            long swapped = keys[i];
            keys[i] = keys[j];
            keys[j] = swapped;
        }
    }
}
