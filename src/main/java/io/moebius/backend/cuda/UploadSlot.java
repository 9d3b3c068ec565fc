package io.moebius.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/** A stretch of pinned memory, one of the device, and a stream between them: one of several copies in flight. */
final class UploadSlot {

    /** Reading mapped pages takes more than one thread to be as fast as the bus. */
    private static final int READERS = 4;

    private static final long LEAST_SHARE = 1 << 20;

    private final Driver driver;
    private final DeviceMemory memory;
    private final Driver.Pinned pinned;
    private final long staging;
    private final long stream;
    private final long done;

    UploadSlot(Driver driver, DeviceMemory memory, int bytes) {
        this.driver = driver;
        this.memory = memory;
        this.pinned = driver.pin(bytes);
        this.staging = memory.allocate(bytes);
        this.stream = driver.stream();
        this.done = driver.event();
        driver.record(done, stream);
    }

    long stream() {
        return stream;
    }

    int capacity() {
        return pinned.bytes().capacity();
    }

    /** Waits for this slot's last work, and starts a copy; what is enqueued on its stream from now on finds the bytes at the result. */
    long copy(MemorySegment from) {
        driver.await(done);
        MemorySegment to = MemorySegment.ofBuffer(pinned.bytes());
        long bytes = from.byteSize();
        long share = Math.max(LEAST_SHARE, Math.ceilDiv(bytes, READERS));
        IntStream.range(0, (int) Math.ceilDiv(bytes, share)).parallel().forEach(i -> {
            long begin = i * share;
            MemorySegment.copy(from, begin, to, begin, Math.min(share, bytes - begin));
        });
        driver.upload(staging, pinned, (int) bytes, stream);
        return staging;
    }

    /** The slot's work ends with what has been enqueued, and {@code after} goes on when it has. */
    void end(long after) {
        driver.record(done, stream);
        driver.await(after, done);
    }

    void release() {
        driver.await(done);
        driver.unpin(pinned);
        memory.free(staging);
    }
}
