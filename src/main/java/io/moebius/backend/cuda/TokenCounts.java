package io.moebius.backend.cuda;

import java.util.ArrayList;
import java.util.List;

/** How often each token is in a sequence's output, and whether it is in its prompt: what penalties are computed from, by slot. */
final class TokenCounts {

    private static final int IN_PROMPT = 0x8000;
    private static final int MOST = 0x7fff;

    /** The counts [vocabulary] that a slot gets with the next draw. */
    record Fresh(int slot, short[] counts) {}

    private final int slots;
    private final int vocabulary;
    private final long address;
    private final List<Fresh> fresh = new ArrayList<>();

    TokenCounts(DeviceMemory memory, int slots, int vocabulary) {
        this.slots = slots;
        this.vocabulary = vocabulary;
        address = memory.allocate((long) slots * bytes());
    }

    int bytes() {
        return Short.BYTES * vocabulary;
    }

    /** @return 0 for slot -1, which is nobody's */
    long address(int slot) {
        if (slot < -1 || slot >= slots) {
            throw new IllegalArgumentException("slot " + slot + " of " + slots);
        }
        return slot < 0 ? 0 : address + (long) slot * bytes();
    }

    void remember(int slot, int[] tokens, int prompt, int length) {
        short[] counts = new short[vocabulary];
        for (int i = 0; i < length; i++) {
            int count = counts[tokens[i]];
            counts[tokens[i]] = (short) (i < prompt ? count | IN_PROMPT : (count & MOST) < MOST ? count + 1 : count);
        }
        fresh.add(new Fresh(slot, counts));
    }

    /** What has been remembered since the last call. */
    List<Fresh> takeFresh() {
        List<Fresh> taken = List.copyOf(fresh);
        fresh.clear();
        return taken;
    }
}
