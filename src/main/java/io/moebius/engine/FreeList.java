package io.moebius.engine;

/** The free ones of some numbered things, cache blocks or slots; last freed, first taken. */
final class FreeList {

    private final int[] free;
    private int count;

    /** All of 0 to total - 1. */
    FreeList(int total) {
        free = new int[total];
        count = total;
        for (int i = 0; i < total; i++) {
            free[i] = total - 1 - i;
        }
    }

    int free() {
        return count;
    }

    int total() {
        return free.length;
    }

    int used() {
        return free.length - count;
    }

    int take() {
        if (count == 0) {
            throw new IllegalStateException("none of " + free.length + " is free");
        }
        return free[--count];
    }

    void give(int... numbers) {
        for (int number : numbers) {
            free[count++] = number;
        }
    }
}
