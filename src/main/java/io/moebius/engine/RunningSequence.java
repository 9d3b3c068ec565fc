package io.moebius.engine;

import io.moebius.backend.KvCache;
import java.time.Duration;
import java.util.Arrays;

/** A sequence between submit and its end; all but {@link #cancel} is for the engine's thread. */
final class RunningSequence implements Ticket {

    private static final int NONE = -1;

    private final Prompt prompt;
    private final SequenceListener listener;
    private final int promptLength;
    private final long queuedNanos = System.nanoTime();
    private volatile boolean cancelled;
    private Duration queueing;
    private boolean left;
    private int[] tokens;
    private int length;
    private int awaited;
    private int drawnRow;
    private int cached;
    private int[] blocks = {};
    private int slot = NONE;
    private boolean remembered;

    RunningSequence(Prompt prompt, SequenceListener listener) {
        this.prompt = prompt;
        this.listener = listener;
        tokens = prompt.tokens().clone();
        promptLength = tokens.length;
        length = tokens.length;
    }

    Prompt prompt() {
        return prompt;
    }

    SequenceListener listener() {
        return listener;
    }

    History history() {
        return new History(tokens, promptLength, length);
    }

    int promptLength() {
        return promptLength;
    }

    int outputTokens() {
        return length - promptLength;
    }

    /** Tokens of the output that steps have drawn, those that are not here yet included. */
    int drawnTokens() {
        return outputTokens() + awaited;
    }

    /** Positions whose keys and values are in the cache once the started steps have run. */
    int cached() {
        return cached;
    }

    /** Tokens that the model has yet to see before it can say the next one; 0 once the last one allowed is on its way. */
    int pending() {
        return awaited > 0 && drawnTokens() >= prompt.maxTokens() ? 0 : length + awaited - cached;
    }

    /** The token's id, or ~r where only row r of the last draw knows it. */
    int token(int position) {
        return position < length ? tokens[position] : ~drawnRow;
    }

    boolean awaitsToken() {
        return awaited > 0;
    }

    /** Entry i is the cache block of positions 16 i to 16 i + 15; never changed in place. */
    int[] blocks() {
        return blocks;
    }

    int missingBlocks() {
        return blocksFor(length + awaited) - blocks.length;
    }

    static int blocksFor(long tokens) {
        return (int) Math.ceilDiv(tokens, (long) KvCache.BLOCK_TOKENS);
    }

    void allocate(FreeList pool) {
        int held = blocks.length;
        int missing = missingBlocks();
        if (missing > 0) {
            blocks = Arrays.copyOf(blocks, held + missing);
            for (int i = held; i < blocks.length; i++) {
                blocks[i] = pool.take();
            }
        }
    }

    /** Its number among the running, for what a backend keeps of each. */
    int slot() {
        return slot;
    }

    void admitted(int toSlot) {
        slot = toSlot;
        remembered = false;
        if (queueing == null) {
            queueing = sinceQueued();
        }
    }

    /** Whether the backend has the tokens of this slot. */
    boolean remembered() {
        return remembered;
    }

    void remember() {
        remembered = true;
    }

    void release(FreeList pool, FreeList slots) {
        pool.give(blocks);
        blocks = new int[0];
        cached = 0;
        slots.give(slot);
        slot = NONE;
    }

    /** A step that stores {@code count} more positions has been started. */
    void started(int count) {
        cached += count;
    }

    /** The started step draws the next token, as its row {@code row}. */
    void drawn(int row) {
        drawnRow = row;
        awaited++;
    }

    /** The oldest awaited token is here. */
    void append(int token) {
        awaited--;
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * length);
        }
        tokens[length++] = token;
    }

    /** Why the sequence ends with its last token, or null if it goes on. */
    FinishReason finishReason() {
        if (prompt.stopTokens().contains(tokens[length - 1])) {
            return FinishReason.STOP;
        }
        return outputTokens() >= prompt.maxTokens() ? FinishReason.LENGTH : null;
    }

    Duration queueing() {
        return queueing;
    }

    Duration sinceQueued() {
        return Duration.ofNanos(System.nanoTime() - queuedNanos);
    }

    /** It has ended, whatever a step on its way may still compute for it. */
    void leave() {
        left = true;
    }

    boolean hasLeft() {
        return left;
    }

    boolean cancelled() {
        return cancelled;
    }

    @Override
    public void cancel() {
        cancelled = true;
    }
}
