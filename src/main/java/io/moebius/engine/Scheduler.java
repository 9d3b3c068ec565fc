package io.moebius.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;

/**
 * Chooses at every step who goes on (iteration-level scheduling, Yu et al. 2022): first all decodes, then prefill chunks
 * under the token budget, then the waiting in order of arrival. A prompt gets its blocks when it is admitted, a decode one
 * more whenever it fills its last. If none is free then, the youngest sequence gives up all of its own and waits, to be
 * computed again from prompt and output; the oldest therefore always goes on.
 */
final class Scheduler {

    private final Limits limits;
    private final BlockPool pool;
    /** In order of arrival: preempting takes the last, and puts it before all that wait. */
    private final List<RunningSequence> running = new ArrayList<>();
    private final Deque<RunningSequence> waiting = new ArrayDeque<>();

    Scheduler(Limits limits, BlockPool pool) {
        this.limits = limits;
        this.pool = pool;
    }

    void queue(RunningSequence sequence) {
        waiting.addLast(sequence);
    }

    void remove(RunningSequence sequence) {
        if (running.remove(sequence)) {
            sequence.release(pool);
        } else {
            waiting.remove(sequence);
        }
    }

    boolean isEmpty() {
        return running.isEmpty() && waiting.isEmpty();
    }

    List<RunningSequence> all() {
        return Stream.concat(running.stream(), waiting.stream()).toList();
    }

    List<RunningSequence> cancelled() {
        return Stream.concat(running.stream(), waiting.stream())
                .filter(RunningSequence::cancelled)
                .toList();
    }

    Engine.Load load() {
        return new Engine.Load(running.size(), waiting.size(), pool.used(), pool.total());
    }

    /** The next step; empty only if there is no sequence. */
    Step plan() {
        List<Step.Slice> slices = new ArrayList<>();
        for (int i = 0; i < running.size(); i++) {
            RunningSequence sequence = running.get(i);
            if (sequence.pending() == 1 && makeRoom(sequence)) {
                slices.add(new Step.Slice(sequence, 1));
            }
        }
        int budget = Math.min(limits.maxBatchTokens() - slices.size(), limits.maxPromptTokens());
        for (RunningSequence sequence : running) {
            if (sequence.pending() > 1 && budget > 0) {
                budget -= add(slices, sequence, budget);
            }
        }
        while (budget > 0 && admitNext()) {
            budget -= add(slices, running.getLast(), budget);
        }
        return new Step(slices);
    }

    private static int add(List<Step.Slice> slices, RunningSequence sequence, int budget) {
        int count = Math.min(sequence.pending(), budget);
        slices.add(new Step.Slice(sequence, count));
        return count;
    }

    /** Gives a decoding sequence its next block if it needs one; false if it had to give way itself. */
    private boolean makeRoom(RunningSequence sequence) {
        while (sequence.missingBlocks() > pool.free()) {
            RunningSequence youngest = running.removeLast();
            youngest.release(pool);
            waiting.addFirst(youngest);
            if (youngest == sequence) {
                return false;
            }
        }
        sequence.allocate(pool);
        return true;
    }

    /** A spare block for each running sequence stays free, or the newcomer would soon be preempted again. */
    private boolean admitNext() {
        RunningSequence next = waiting.peekFirst();
        if (next == null
                || running.size() == limits.maxBatchSequences()
                || next.missingBlocks() + running.size() > pool.free()) {
            return false;
        }
        waiting.removeFirst();
        next.allocate(pool);
        next.scheduled();
        running.addLast(next);
        return true;
    }
}
