package io.moebius.backend.cuda;

import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;

/**
 * What is used of the CUDA driver, on one device. Handles and device addresses are longs. Work is enqueued on streams and done later,
 * in order within each. Every call may be made on any thread.
 *
 * <p>Any call, and any later one on behalf of the work it enqueued, throws {@link CudaException} where the driver refuses it, and
 * {@link io.moebius.backend.DeviceLostException} once nothing on the device can be used any more.
 */
interface Driver extends AutoCloseable {

    /**
     * @param computeCapability major * 10 + minor
     * @param driverVersion     newest CUDA that the driver knows: major * 1000 + minor * 10
     */
    record Device(String name, int computeCapability, int multiprocessors, long memoryBytes, int driverVersion) {}

    /** Page-locked memory of the host. */
    record Pinned(long address, ByteBuffer bytes) {}

    Device device();

    /** Bytes that can be allocated now. */
    long freeBytes();

    /** Of the device; uninitialised. */
    long allocate(long bytes);

    void free(long address);

    Pinned pin(int bytes);

    void unpin(Pinned memory);

    void upload(long to, Pinned from, int bytes, long stream);

    void download(Pinned to, long from, int bytes, long stream);

    void copy(long to, long from, long bytes, long stream);

    void zero(long address, long bytes, long stream);

    long stream();

    /** Waits for all work of a stream. */
    void synchronize(long stream);

    long event();

    void record(long event, long stream);

    /** What is enqueued on the stream from now on begins after the event. */
    void await(long stream, long event);

    /** The calling thread waits for the event. */
    void await(long event);

    long module(byte[] image);

    long function(long module, String name);

    /** Lets a kernel have so much dynamic shared memory. */
    void allowShared(long function, int bytes);

    /**
     * Enqueues a kernel that takes one structure by value.
     *
     * @param site       what it is for, for messages
     * @param overlapped whether it may be started before the kernel before it has ended, because it waits for that one itself
     */
    void launch(String site, long function, int[] grid, int threads, int sharedBytes, Pointer structure, boolean overlapped, long stream);

    /**
     * Describes a matrix of bytes, row after row, to the copy engine.
     *
     * @param map      where to: 128 bytes of the host, at a multiple of 64, that will be a kernel's parameters
     * @param address  a multiple of 16
     * @param columns  a multiple of 16
     * @param tileRows at most 256, and as many columns, a multiple of 16: what one copy brings
     */
    void encodeTensorMap(Pointer map, long address, int rows, int columns, int tileRows, int tileColumns);

    /** From now on, work of the stream is recorded instead of enqueued. */
    void beginCapture(long stream);

    /** What was recorded, ready to be launched. */
    long endCapture(long stream);

    void launchGraph(long graph, long stream);

    void destroyGraph(long graph);

    @Override
    void close();
}
