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
 *
 * <p>Blocks change hands when a step is planned, while the step before may still be running: since steps run one after the
 * other, a former owner's last write comes before the new owner's first.
 */
final class Scheduler {

    private final Limits limits;
    private final FreeList blocks;
    private final FreeList slots;
    /** In order of arrival: preempting takes the last, and puts it before all that wait. */
    private final List<RunningSequence> running = new ArrayList<>();
    private final Deque<RunningSequence> waiting = new ArrayDeque<>();

    Scheduler(Limits limits, FreeList blocks) {
        this.limits = limits;
        this.blocks = blocks;
        slots = new FreeList(limits.maxBatchSequences());
    }

    void queue(RunningSequence sequence) {
        waiting.addLast(sequence);
    }

    void remove(RunningSequence sequence) {
        if (running.remove(sequence)) {
            sequence.release(blocks, slots);
        } else {
            waiting.remove(sequence);
        }
    }

    List<RunningSequence> all() {
        return Stream.concat(running.stream(), waiting.stream()).toList();
    }

    List<RunningSequence> cancelled() {
        List<RunningSequence> cancelled = new ArrayList<>();
        collectCancelled(running, cancelled);
        collectCancelled(waiting, cancelled);
        return cancelled;
    }

    private static void collectCancelled(Iterable<RunningSequence> sequences, List<RunningSequence> cancelled) {
        for (RunningSequence sequence : sequences) {
            if (sequence.cancelled()) {
                cancelled.add(sequence);
            }
        }
    }

    Engine.Load load() {
        return new Engine.Load(running.size(), waiting.size(), blocks.used(), blocks.total());
    }

    /** The next step; empty only if no sequence can go on before a token that is on its way is here. */
    Step plan() {
        Step step = new Step();
        for (int i = 0; i < running.size(); i++) {
            RunningSequence sequence = running.get(i);
            if (sequence.pending() == 1 && makeRoom(sequence)) {
                step.add(sequence, 1);
            }
        }
        int budget = Math.min(limits.maxBatchTokens() - step.tokens(), limits.maxPromptTokens());
        for (RunningSequence sequence : running) {
            if (sequence.pending() > 1 && budget > 0) {
                budget -= addPrefill(step, sequence, budget);
            }
        }
        while (budget > 0 && admitNext()) {
            budget -= addPrefill(step, running.getLast(), budget);
        }
        return step;
    }

    private static int addPrefill(Step step, RunningSequence sequence, int budget) {
        int count = Math.min(sequence.pending(), budget);
        step.add(sequence, count);
        return count;
    }

    /** Gives a decoding sequence its next block if it needs one; false if it had to give way itself. */
    private boolean makeRoom(RunningSequence sequence) {
        while (sequence.missingBlocks() > blocks.free()) {
            RunningSequence youngest = running.removeLast();
            youngest.release(blocks, slots);
            waiting.addFirst(youngest);
            if (youngest == sequence) {
                return false;
            }
        }
        sequence.allocate(blocks);
        return true;
    }

    /**
     * A spare block for each running sequence stays free, or the newcomer would soon be preempted again. A preempted one whose
     * token is on its way is computed again when that is here, and nobody passes it.
     */
    private boolean admitNext() {
        RunningSequence next = waiting.peekFirst();
        if (next == null
                || next.awaitsToken()
                || running.size() == limits.maxBatchSequences()
                || next.missingBlocks() + running.size() > blocks.free()) {
            return false;
        }
        waiting.removeFirst();
        next.allocate(blocks);
        next.admitted(slots.take());
        running.addLast(next);
        return true;
    }
}
