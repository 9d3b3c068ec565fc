package io.moebius.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;

/** A driver that does nothing but write down what it was asked for; handles and addresses count up. */
final class RecordingDriver implements Driver {

    final List<String> calls = new ArrayList<>();
    private final long freeBytes;
    private final int computeCapability;
    private long next = 1 << 10;

    RecordingDriver() {
        this(1L << 40);
    }

    RecordingDriver(long freeBytes) {
        this(freeBytes, 90);
    }

    RecordingDriver(long freeBytes, int computeCapability) {
        this.freeBytes = freeBytes;
        this.computeCapability = computeCapability;
    }

    @Override
    public Device device() {
        return new Device("Recorder", computeCapability, 132, 1L << 40, 13000);
    }

    @Override
    public long freeBytes() {
        return freeBytes;
    }

    @Override
    public long allocate(long bytes) {
        calls.add("allocate " + bytes);
        return handle();
    }

    @Override
    public void free(long address) {}

    @Override
    public Pinned pin(int bytes) {
        return new Pinned(handle(), ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN));
    }

    @Override
    public void unpin(Pinned memory) {}

    @Override
    public void upload(long to, Pinned from, int bytes, long stream) {
        calls.add("upload " + bytes + " on " + stream);
    }

    @Override
    public void download(Pinned to, long from, int bytes, long stream) {
        calls.add("download " + bytes + " on " + stream);
    }

    @Override
    public void copy(long to, long from, long bytes, long stream) {
        calls.add("copy " + bytes + " on " + stream);
    }

    @Override
    public void zero(long address, long bytes, long stream) {}

    @Override
    public long stream() {
        return handle();
    }

    @Override
    public void synchronize(long stream) {
        calls.add("wait for stream " + stream);
    }

    @Override
    public long event() {
        return handle();
    }

    @Override
    public void record(long event, long stream) {
        calls.add("event " + event + " on " + stream);
    }

    @Override
    public void await(long stream, long event) {
        calls.add(stream + " after event " + event);
    }

    @Override
    public void await(long event) {
        calls.add("wait for event " + event);
    }

    @Override
    public long module(byte[] image) {
        return handle();
    }

    @Override
    public long function(long module, String name) {
        return handle();
    }

    @Override
    public void allowShared(long function, int bytes) {}

    @Override
    public void launch(
            String site, long function, int[] grid, int threads, int sharedBytes, Pointer structure, boolean overlapped, long stream) {
        calls.add("launch " + site + ", " + grid[0] + " blocks on " + stream + (overlapped ? ", overlapped" : ""));
    }

    @Override
    public void encodeTensorMap(Pointer map, long address, int rows, int columns, int tileRows, int tileColumns) {}

    @Override
    public void beginCapture(long stream) {}

    @Override
    public long endCapture(long stream) {
        return handle();
    }

    @Override
    public void launchGraph(long graph, long stream) {}

    @Override
    public void destroyGraph(long graph) {}

    @Override
    public void close() {}

    private long handle() {
        return next += 1 << 10;
    }
}
