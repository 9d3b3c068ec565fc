package io.moebius.backend.cuda;

/** Device memory that grows to the largest size that was ever asked for; zeroed when it grows, then as its users leave it. */
final class Scratch {

    private final DeviceMemory memory;
    private long address;
    private long bytes;

    Scratch(DeviceMemory memory) {
        this.memory = memory;
    }

    long atLeast(long wanted) {
        if (wanted > bytes) {
            memory.free(address);
            address = memory.zeroed(wanted);
            bytes = wanted;
        }
        return address;
    }
}
