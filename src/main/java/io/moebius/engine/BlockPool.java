package io.moebius.engine;

/** The free blocks of the KV cache, last freed first taken. */
final class BlockPool {

    private final int[] free;
    private int count;

    BlockPool(int blocks) {
        free = new int[blocks];
        count = blocks;
        for (int i = 0; i < blocks; i++) {
            free[i] = blocks - 1 - i;
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
            throw new IllegalStateException("no free block");
        }
        return free[--count];
    }

    void give(int[] blocks) {
        for (int block : blocks) {
            free[count++] = block;
        }
    }
}
