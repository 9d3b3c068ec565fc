package io.moebius.backend.cuda;

import io.moebius.backend.Draws;
import java.nio.ByteBuffer;
import java.util.List;

/** What a draw needs, array after array in pinned memory and, by one copy, on the device. */
final class DrawInputs {

    /** Of each array's begin. */
    private static final int ALIGNMENT = 8;

    private static final int ARRAYS = 14;
    private static final int BIAS_ENTRIES = 4096;

    private final Driver driver;
    private final long stream;
    private final int vocabulary;
    private final Scratch room;
    private Driver.Pinned pinned;
    private long device;
    private int written;

    /** @param rows for which no more room is needed later, unless they bias very many tokens */
    DrawInputs(Driver driver, DeviceMemory memory, long stream, int rows, int vocabulary) {
        this.driver = driver;
        this.stream = stream;
        this.vocabulary = vocabulary;
        room = new Scratch(memory);
        int bytes = bytes(rows, BIAS_ENTRIES, rows * Math.ceilDiv(vocabulary, Integer.SIZE));
        device = room.atLeast(bytes);
        pinned = driver.pin(bytes);
    }

    /** Enqueues the copies, the slots' fresh counts among them, and points the structure to where the arrays will be. */
    void upload(Draws draws, TokenCounts counts, CudaKernels.Sample parameters) {
        List<TokenCounts.Fresh> fresh = counts.takeFresh();
        int allowed = draws.allowed() == null ? 0 : draws.allowed().length;
        int bytes = bytes(draws.rows(), draws.biasIds().length, allowed);
        reserve(bytes + fresh.size() * counts.bytes());
        device = room.atLeast(bytes);
        written = 0;
        put(draws, counts, parameters);
        driver.upload(device, pinned, written, stream);
        for (TokenCounts.Fresh slot : fresh) {
            ByteBuffer to = pinned.bytes().slice(written, counts.bytes()).order(pinned.bytes().order());
            to.asShortBuffer().put(slot.counts());
            driver.upload(counts.address(slot.slot()), new Driver.Pinned(pinned.address() + written, to), counts.bytes(), stream);
            written += counts.bytes();
        }
    }

    private void put(Draws draws, TokenCounts counts, CudaKernels.Sample parameters) {
        long[] slots = new long[draws.rows()];
        boolean penalties = false;
        for (int row = 0; row < slots.length; row++) {
            slots[row] = counts.address(draws.slots()[row]);
            penalties |= slots[row] != 0;
        }
        parameters.seeds(put(draws.seeds()));
        if (penalties) {
            parameters.counts(put(slots));
        }
        parameters.temperature(put(draws.temperature()));
        parameters.top_k(put(draws.topK()));
        parameters.top_p(put(draws.topP()));
        parameters.min_p(put(draws.minP()));
        parameters.repetition(put(draws.repetition()));
        parameters.presence(put(draws.presence()));
        parameters.frequency(put(draws.frequency()));
        parameters.indices(put(draws.indices()));
        if (draws.biasOffsets() != null) {
            for (int id : draws.biasIds()) {
                if (id < 0 || id >= vocabulary) {
                    throw new IllegalArgumentException("a bias of token " + id + " of " + vocabulary);
                }
            }
            parameters.bias_offsets(put(draws.biasOffsets()));
            parameters.bias_ids(put(draws.biasIds()));
            parameters.bias_values(put(draws.biasValues()));
        }
        if (draws.allowed() != null) {
            parameters.allowed(put(draws.allowed()));
        }
    }

    private long put(long[] values) {
        pinned.bytes().slice(written, Long.BYTES * values.length).order(pinned.bytes().order()).asLongBuffer().put(values);
        return next(Long.BYTES * values.length);
    }

    private long put(int[] values) {
        pinned.bytes().slice(written, Integer.BYTES * values.length).order(pinned.bytes().order()).asIntBuffer().put(values);
        return next(Integer.BYTES * values.length);
    }

    private long put(float[] values) {
        pinned.bytes().slice(written, Float.BYTES * values.length).order(pinned.bytes().order()).asFloatBuffer().put(values);
        return next(Float.BYTES * values.length);
    }

    private long next(int bytes) {
        long address = device + written;
        written += Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
        return address;
    }

    /** Whatever the host has sent from here has long arrived: that draw's tokens are known. */
    private void reserve(int bytes) {
        if (pinned.bytes().capacity() < bytes) {
            driver.unpin(pinned);
            pinned = driver.pin(2 * Integer.highestOneBit(bytes));
        }
    }

    private static int bytes(int rows, int biases, int allowedWords) {
        return ARRAYS * ALIGNMENT + Integer.BYTES * (13 * rows + 1 + 2 * biases + allowedWords);
    }
}
