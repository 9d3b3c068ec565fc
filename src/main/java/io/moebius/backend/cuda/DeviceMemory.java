package io.moebius.backend.cuda;

import java.util.HashSet;
import java.util.Set;

/** Everything that a backend has allocated on its device, to be freed with it. */
final class DeviceMemory implements AutoCloseable {

    private final Driver driver;
    private final long stream;
    private final Set<Long> blocks = new HashSet<>();
    private boolean sealed;
    private long generation;

    /** @param stream that uses the memory */
    DeviceMemory(Driver driver, long stream) {
        this.driver = driver;
        this.stream = stream;
    }

    /**
     * Uninitialised.
     *
     * @throws OutOfMemoryError if there is no room
     */
    long allocate(long bytes) {
        if (sealed) {
            throw new IllegalStateException("an allocation of " + bytes + " bytes while a step is recorded");
        }
        try {
            long address = driver.allocate(Math.max(bytes, 1));
            blocks.add(address);
            return address;
        } catch (CudaException e) {
            if (e.outOfMemory()) {
                throw new OutOfMemoryError("no %d bytes of GPU memory; %d are free: stop what else uses it, or take a larger GPU"
                        .formatted(bytes, driver.freeBytes()));
            }
            throw e;
        }
    }

    long zeroed(long bytes) {
        long address = allocate(bytes);
        driver.zero(address, Math.max(bytes, 1), stream);
        return address;
    }

    /** Waits first for the steps that are on their way and may use it. */
    void free(long address) {
        if (blocks.remove(address)) {
            driver.synchronize(stream);
            generation++;
            driver.free(address);
        }
    }

    /** Grows whenever something is freed: addresses that were recorded before may be wrong. */
    long generation() {
        return generation;
    }

    /** While a step is recorded nothing can be allocated. */
    void seal(boolean recording) {
        sealed = recording;
    }

    @Override
    public void close() {
        blocks.forEach(driver::free);
        blocks.clear();
    }
}
