package io.moebius.backend.cuda;

import io.moebius.backend.Variant;
import java.util.List;

/**
 * To how many rows a decode step is filled up before it is recorded.
 *
 * @param perDoubling sizes from one power of two to the next: the more, the fewer rows are nobody's and the more is recorded
 */
record RecordedSizes(int perDoubling) implements Variant {

    static final RecordedSizes DEFAULT = new RecordedSizes(1);
    static final List<Variant> ALL = List.of(DEFAULT, new RecordedSizes(2), new RecordedSizes(4));

    @Override
    public String name() {
        return perDoubling + " per doubling";
    }

    int rows(int sequences) {
        int below = Integer.highestOneBit(2 * sequences - 1) / 2;
        int step = Math.max(1, below / perDoubling);
        return Math.ceilDiv(sequences, step) * step;
    }
}
