package io.moebius.backend.cuda;

import io.moebius.backend.Batch;
import io.moebius.backend.Rope;
import java.nio.IntBuffer;
import java.util.Arrays;

/**
 * The batch of the current step on the device: one copy per step, to places that stay the same while the room suffices, so that
 * recorded steps find the next batch there.
 *
 * <p>Sequences of one token at the batch's beginning are its decodes; the others, which may be decodes too, are its tail.
 */
final class StepInputs {

    /** Copies that may be on their way while the host writes the next one. */
    private static final int IN_FLIGHT = 3;

    /**
     * Device addresses of a step's integers.
     *
     * @param sequences     [tokens] the sequence of each token
     * @param tableOffsets  [sequences] where each one's blocks begin in tables
     * @param offsets       [sequences + 1]
     * @param tailSequences [tokens - decodes] the same, counted from the first of the tail
     * @param tailOffsets   [sequences - decodes + 1] the same, counted from the first token of the tail
     * @param longest       largest position of a decode
     */
    record Uploaded(
            Batch batch, long tokens, long positions, long sequences, long tableOffsets, long offsets, long tailSequences, long tailOffsets,
            long tables, int decodes, int longest) {

        int size() {
            return batch.size();
        }

        /** Tiles of {@code perTile} tokens that sequences from {@code first} on make. */
        int tiles(int first, int perTile) {
            int tiles = 0;
            for (int s = first; s < batch.sequences(); s++) {
                tiles += Math.ceilDiv(batch.offsets()[s + 1] - batch.offsets()[s], perTile);
            }
            return tiles;
        }
    }

    private final Driver driver;
    private final Launcher launcher;
    private final KernelTable.Entry angles;
    private final long stream;
    private final Scratch room;
    private final Scratch turns;
    private final Driver.Pinned[] pinned = new Driver.Pinned[IN_FLIGHT];
    private final long[] arrived = new long[IN_FLIGHT];
    private int next;
    private int tokenRoom;
    private int sequenceRoom;
    private int tableRoom;
    private Uploaded current;
    private Rope turned;
    private CudaKvCache checkedFor;

    StepInputs(Driver driver, DeviceMemory memory, Launcher launcher, KernelTable table, long stream) {
        this.driver = driver;
        this.launcher = launcher;
        this.angles = table.only(KernelTable.Family.ANGLES);
        this.stream = stream;
        this.room = new Scratch(memory);
        this.turns = new Scratch(memory);
    }

    /** Where the batch lies; copies it if it isn't that of the last call. */
    Uploaded of(Batch batch) {
        if (current == null || current.batch != batch) {
            upload(batch, 0);
        }
        return current;
    }

    /** Where the batch lies; its tables and positions are checked against the cache, once. */
    Uploaded of(Batch batch, CudaKvCache cache) {
        if (!isCurrent(batch) || checkedFor != cache) {
            cache.check(batch);
        }
        Uploaded uploaded = of(batch);
        checkedFor = cache;
        return uploaded;
    }

    /**
     * Copies a batch that has been checked, and may be filled up with rows of nobody.
     *
     * @param longest largest position that decodes may have when this step, recorded, is run again
     */
    void checked(Batch batch, CudaKvCache cache, int longest) {
        upload(batch, longest);
        checkedFor = cache;
    }

    boolean isCurrent(Batch batch) {
        return current != null && current.batch == batch;
    }

    /** Cosine and sine of every token's rotations, float32 [tokens, headDim / 2, 2]. */
    long turns(Rope rope) {
        int pairs = rope.headDim() / 2;
        long address = turns.atLeast(2L * tokenRoom * pairs * Float.BYTES);
        if (!rope.equals(turned)) {
            try (CudaKernels.Angles parameters = new CudaKernels.Angles()) {
                parameters.positions(current.positions);
                parameters.turns(address);
                parameters.factor(rope.factor());
                parameters.tokens(current.size());
                parameters.pairs(pairs);
                for (int first = 0; first < pairs; first += CudaKernels.Angles.MOST_PAIRS) {
                    parameters.first(first);
                    for (int i = first; i < Math.min(pairs, first + CudaKernels.Angles.MOST_PAIRS); i++) {
                        parameters.frequencies(i - first, rope.frequencies()[i]);
                    }
                    launcher.launch(angles, parameters, "rotations");
                }
            }
            turned = rope;
        }
        return address;
    }

    private void upload(Batch batch, int longest) {
        int tableSize = Arrays.stream(batch.blockTables()).mapToInt(table -> table.length).sum();
        long device = reserve(batch.size(), batch.sequences(), tableSize);
        driver.await(arrived[next]);
        IntBuffer to = pinned[next].bytes().clear().asIntBuffer();
        int decodes = decodes(batch);
        int sequenceEnd = sequenceRoom + 1;
        Uploaded uploaded = new Uploaded(
                batch,
                device,
                device + 4L * tokenRoom,
                device + 8L * tokenRoom,
                device + 16L * tokenRoom,
                device + 16L * tokenRoom + 4L * sequenceEnd,
                device + 12L * tokenRoom,
                device + 16L * tokenRoom + 8L * sequenceEnd,
                device + 16L * tokenRoom + 12L * sequenceEnd,
                decodes,
                Arrays.stream(batch.positions()).limit(decodes).reduce(longest, Math::max));
        to.put(0, batch.tokens()).put(tokenRoom, batch.positions());
        int inTables = 0;
        for (int s = 0; s < batch.sequences(); s++) {
            for (int t = batch.offsets()[s]; t < batch.offsets()[s + 1]; t++) {
                to.put(2 * tokenRoom + t, s);
                if (s >= decodes) {
                    to.put(3 * tokenRoom + t - decodes, s - decodes);
                }
            }
            to.put(4 * tokenRoom + s, inTables);
            to.put(4 * tokenRoom + 3 * sequenceEnd + inTables, batch.blockTables()[s]);
            inTables += batch.blockTables()[s].length;
        }
        to.put(4 * tokenRoom + sequenceEnd, batch.offsets());
        for (int s = decodes; s <= batch.sequences(); s++) {
            to.put(4 * tokenRoom + 2 * sequenceEnd + s - decodes, batch.offsets()[s] - decodes);
        }
        driver.upload(device, pinned[next], 4 * (4 * tokenRoom + 3 * sequenceEnd + inTables), stream);
        driver.record(arrived[next], stream);
        next = (next + 1) % IN_FLIGHT;
        current = uploaded;
        turned = null;
        checkedFor = null;
    }

    private static int decodes(Batch batch) {
        int decodes = 0;
        while (decodes < batch.sequences() && batch.offsets()[decodes + 1] == decodes + 1) {
            decodes++;
        }
        return decodes;
    }

    /** Room for so much, in powers of two. */
    private long reserve(int tokens, int sequences, int tables) {
        boolean first = tokenRoom == 0;
        if (first || tokens > tokenRoom || sequences > sequenceRoom || tables > tableRoom) {
            tokenRoom = powerOfTwo(Math.max(tokens, tokenRoom));
            sequenceRoom = powerOfTwo(Math.max(sequences, sequenceRoom));
            tableRoom = powerOfTwo(Math.max(tables, tableRoom));
            for (int i = 0; i < IN_FLIGHT; i++) {
                if (first) {
                    arrived[i] = driver.event();
                } else {
                    driver.await(arrived[i]);
                    driver.unpin(pinned[i]);
                }
                pinned[i] = driver.pin((int) bytes());
                driver.record(arrived[i], stream);
            }
        }
        return room.atLeast(bytes());
    }

    private long bytes() {
        return 4L * (4L * tokenRoom + 3L * (sequenceRoom + 1) + tableRoom);
    }

    private static int powerOfTwo(int least) {
        return Integer.highestOneBit(Math.max(1, 2 * least - 1));
    }
}
