package io.moebius.engine;

import io.moebius.backend.Batch;
import java.util.ArrayList;
import java.util.List;

/** What one call of the model works on. */
final class Step {

    private final List<Slice> slices = new ArrayList<>();
    private int tokens;
    private int rows;

    /**
     * The next {@code count} pending tokens of a sequence: a decode, a prefill or a chunk of one.
     *
     * @param row of the step's logits that gives the sequence's next token; -1 if the model will not have seen all of it
     */
    record Slice(RunningSequence sequence, int count, int row) {

        boolean completes() {
            return row >= 0;
        }
    }

    void add(RunningSequence sequence, int count) {
        slices.add(new Slice(sequence, count, count == sequence.pending() ? rows++ : -1));
        tokens += count;
    }

    List<Slice> slices() {
        return slices;
    }

    /** Tokens in all. */
    int tokens() {
        return tokens;
    }

    /** Of logits. */
    int rows() {
        return rows;
    }

    Batch batch() {
        int[] ids = new int[tokens];
        int[] positions = new int[tokens];
        int[] offsets = new int[slices.size() + 1];
        int[][] blockTables = new int[slices.size()][];
        int[] logitRows = new int[rows];
        int[] promptLengths = new int[slices.size()];
        int next = 0;
        for (int s = 0; s < slices.size(); s++) {
            Slice slice = slices.get(s);
            RunningSequence sequence = slice.sequence();
            for (int i = 0; i < slice.count(); i++, next++) {
                positions[next] = sequence.cached() + i;
                ids[next] = sequence.token(positions[next]);
            }
            offsets[s + 1] = next;
            blockTables[s] = sequence.blocks();
            promptLengths[s] = sequence.promptLength();
            if (slice.completes()) {
                logitRows[slice.row()] = next - 1;
            }
        }
        return new Batch(ids, positions, offsets, blockTables, logitRows, promptLengths);
    }

    /** The step is on its way: the next is planned on what it will have stored and drawn. */
    void started() {
        for (Slice slice : slices) {
            slice.sequence().started(slice.count());
            if (slice.completes()) {
                slice.sequence().drawn(slice.row());
            }
        }
    }
}
