package io.moebius.engine;

import io.moebius.backend.KvCache;
import java.time.Duration;
import java.util.Arrays;

/** A sequence between submit and its end; all but {@link #cancel} is for the engine's thread. */
final class RunningSequence implements Ticket {

    private final Prompt prompt;
    private final SequenceListener listener;
    private final int promptLength;
    private final long queuedNanos = System.nanoTime();
    private volatile boolean cancelled;
    private Duration queueing;
    private int[] tokens;
    private int length;
    private int cached;
    private int[] blocks = {};

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

    int outputTokens() {
        return length - promptLength;
    }

    /** Positions whose keys and values are in the cache. */
    int cached() {
        return cached;
    }

    /** Tokens that the model has yet to see before it can say the next one. */
    int pending() {
        return length - cached;
    }

    int token(int position) {
        return tokens[position];
    }

    /** Entry i is the cache block of positions 16 i to 16 i + 15; never changed in place. */
    int[] blocks() {
        return blocks;
    }

    int missingBlocks() {
        return blocksFor(length) - blocks.length;
    }

    static int blocksFor(long tokens) {
        return (int) Math.ceilDiv(tokens, (long) KvCache.BLOCK_TOKENS);
    }

    void allocate(BlockPool pool) {
        int held = blocks.length;
        blocks = Arrays.copyOf(blocks, held + missingBlocks());
        for (int i = held; i < blocks.length; i++) {
            blocks[i] = pool.take();
        }
    }

    void release(BlockPool pool) {
        pool.give(blocks);
        blocks = new int[0];
        cached = 0;
    }

    void cached(int more) {
        cached += more;
    }

    void append(int token) {
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

    void scheduled() {
        if (queueing == null) {
            queueing = sinceQueued();
        }
    }

    Duration queueing() {
        return queueing;
    }

    Duration sinceQueued() {
        return Duration.ofNanos(System.nanoTime() - queuedNanos);
    }

    boolean cancelled() {
        return cancelled;
    }

    @Override
    public void cancel() {
        cancelled = true;
    }
}
