package io.moebius.engine;

import io.moebius.backend.Batch;
import java.util.List;

/** What one call of the model works on. */
record Step(List<Slice> slices) {

    /** The next {@code count} pending tokens of a sequence: a decode, a prefill or a chunk of one. */
    record Slice(RunningSequence sequence, int count) {

        /** Whether the model will have seen the whole sequence. */
        boolean completes() {
            return count == sequence.pending();
        }
    }

    Batch batch() {
        int total = slices.stream().mapToInt(Slice::count).sum();
        int[] tokens = new int[total];
        int[] positions = new int[total];
        int[] offsets = new int[slices.size() + 1];
        int[][] blockTables = new int[slices.size()][];
        int[] logitRows = new int[(int) slices.stream().filter(Slice::completes).count()];
        int next = 0;
        int logits = 0;
        for (int s = 0; s < slices.size(); s++) {
            Slice slice = slices.get(s);
            RunningSequence sequence = slice.sequence();
            for (int i = 0; i < slice.count(); i++, next++) {
                positions[next] = sequence.cached() + i;
                tokens[next] = sequence.token(positions[next]);
            }
            offsets[s + 1] = next;
            blockTables[s] = sequence.blocks();
            if (slice.completes()) {
                logitRows[logits++] = next - 1;
            }
        }
        return new Batch(tokens, positions, offsets, blockTables, logitRows);
    }
}
