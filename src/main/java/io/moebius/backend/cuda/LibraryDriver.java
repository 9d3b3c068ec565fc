package io.moebius.backend.cuda;

import static org.bytedeco.cuda.global.cudart.*;

import io.moebius.backend.DeviceLostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.cudart.CUlaunchAttribute;
import org.bytedeco.cuda.cudart.CUlaunchConfig;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.cudart.CUtensorMap;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/** The driver's library, libcuda.so.1, through JavaCPP's presets; only where there is one may this class be touched. */
public final class LibraryDriver implements Driver {

    /** After these every call on the device fails. */
    private static final Set<Integer> LOST = Set.of(
            CUDA_ERROR_ECC_UNCORRECTABLE, CUDA_ERROR_NVLINK_UNCORRECTABLE, CUDA_ERROR_ILLEGAL_ADDRESS, CUDA_ERROR_LAUNCH_TIMEOUT,
            CUDA_ERROR_ASSERT, CUDA_ERROR_HARDWARE_STACK_ERROR, CUDA_ERROR_ILLEGAL_INSTRUCTION, CUDA_ERROR_MISALIGNED_ADDRESS,
            CUDA_ERROR_INVALID_ADDRESS_SPACE, CUDA_ERROR_INVALID_PC, CUDA_ERROR_LAUNCH_FAILED, CUDA_ERROR_CONTEXT_IS_DESTROYED,
            CUDA_ERROR_UNKNOWN);

    private final int ordinal;
    private final CUctx_st context = new CUctx_st();
    private final Device device;
    private final PointerPointer<Pointer> parameters = new PointerPointer<>(1);
    private final CUlaunchConfig config = new CUlaunchConfig();
    private final CUlaunchAttribute overlap = new CUlaunchAttribute();
    private volatile Thread bound;
    /** What was launched last: a failure of work is reported by a later call. */
    private String site = "the start";

    /** @throws CudaException if there is no such device or it cannot be used */
    public LibraryDriver(int ordinal) {
        this.ordinal = ordinal;
        check(cuInit(0), "cuInit");
        int[] version = new int[1];
        check(cuDriverGetVersion(version), "cuDriverGetVersion");
        byte[] name = new byte[128];
        check(cuDeviceGetName(name, name.length, ordinal), "cuDeviceGetName");
        SizeTPointer bytes = new SizeTPointer(1);
        check(cuDeviceTotalMem(bytes, ordinal), "cuDeviceTotalMem");
        device = new Device(
                new String(name, StandardCharsets.UTF_8).split("\0", 2)[0],
                10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) + attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
                attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
                bytes.get(),
                version[0]);
        check(cuDevicePrimaryCtxRetain(context, ordinal), "cuDevicePrimaryCtxRetain");
        overlap.id(CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
        overlap.value().programmaticStreamSerializationAllowed(1);
    }

    private int attribute(int attribute) {
        int[] value = new int[1];
        check(cuDeviceGetAttribute(value, attribute, ordinal), "cuDeviceGetAttribute");
        return value[0];
    }

    @Override
    public Device device() {
        return device;
    }

    @Override
    public long freeBytes() {
        bind();
        SizeTPointer free = new SizeTPointer(1);
        check(cuMemGetInfo(free, new SizeTPointer(1)), "cuMemGetInfo");
        return free.get();
    }

    @Override
    public long allocate(long bytes) {
        bind();
        long[] address = new long[1];
        check(cuMemAlloc(address, bytes), "cuMemAlloc", "an allocation of " + bytes + " bytes");
        return address[0];
    }

    @Override
    public void free(long address) {
        bind();
        check(cuMemFree(address), "cuMemFree");
    }

    @Override
    public Pinned pin(int bytes) {
        bind();
        BytePointer memory = new BytePointer();
        check(cuMemAllocHost(memory, bytes), "cuMemAllocHost", "an allocation of " + bytes + " bytes of the host");
        ByteBuffer buffer = memory.capacity(bytes).asByteBuffer();
        return new Pinned(memory.address(), buffer.order(ByteOrder.LITTLE_ENDIAN));
    }

    @Override
    public void unpin(Pinned memory) {
        bind();
        check(cuMemFreeHost(new Handle(memory.address())), "cuMemFreeHost");
    }

    @Override
    public void upload(long to, Pinned from, int bytes, long stream) {
        bind();
        check(cuMemcpyHtoDAsync(to, new Handle(from.address()), bytes, stream(stream)), "cuMemcpyHtoDAsync");
    }

    @Override
    public void download(Pinned to, long from, int bytes, long stream) {
        bind();
        check(cuMemcpyDtoHAsync(new Handle(to.address()), from, bytes, stream(stream)), "cuMemcpyDtoHAsync");
    }

    @Override
    public void copy(long to, long from, long bytes, long stream) {
        bind();
        check(cuMemcpyDtoDAsync(to, from, bytes, stream(stream)), "cuMemcpyDtoDAsync");
    }

    @Override
    public void zero(long address, long bytes, long stream) {
        bind();
        check(cuMemsetD8Async(address, (byte) 0, bytes, stream(stream)), "cuMemsetD8Async");
    }

    @Override
    public long stream() {
        bind();
        CUstream_st stream = new CUstream_st();
        check(cuStreamCreate(stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
        return stream.address();
    }

    @Override
    public void synchronize(long stream) {
        bind();
        check(cuStreamSynchronize(stream(stream)), "cuStreamSynchronize");
    }

    @Override
    public long event() {
        bind();
        CUevent_st event = new CUevent_st();
        check(cuEventCreate(event, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
        return event.address();
    }

    @Override
    public void record(long event, long stream) {
        bind();
        check(cuEventRecord(event(event), stream(stream)), "cuEventRecord");
    }

    @Override
    public void await(long stream, long event) {
        bind();
        check(cuStreamWaitEvent(stream(stream), event(event), 0), "cuStreamWaitEvent");
    }

    @Override
    public void await(long event) {
        bind();
        check(cuEventSynchronize(event(event)), "cuEventSynchronize");
    }

    @Override
    public long module(byte[] image) {
        bind();
        CUmod_st module = new CUmod_st();
        check(cuModuleLoadData(module, new BytePointer(image)), "cuModuleLoadData", "the kernels of " + image.length + " bytes");
        return module.address();
    }

    @Override
    public long function(long module, String name) {
        bind();
        CUfunc_st function = new CUfunc_st();
        check(cuModuleGetFunction(function, new CUmod_st(new Handle(module)), name), "cuModuleGetFunction", name);
        return function.address();
    }

    @Override
    public void allowShared(long function, int bytes) {
        bind();
        check(
                cuFuncSetAttribute(new CUfunc_st(new Handle(function)), CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes),
                "cuFuncSetAttribute");
    }

    @Override
    public void launch(
            String site, long function, int[] grid, int threads, int sharedBytes, Pointer structure, boolean overlapped, long stream) {
        bind();
        this.site = site;
        parameters.put(0, structure);
        config.gridDimX(grid[0]).gridDimY(grid[1]).gridDimZ(grid[2]).blockDimX(threads).blockDimY(1).blockDimZ(1);
        config.sharedMemBytes(sharedBytes).hStream(stream(stream)).attrs(overlap).numAttrs(overlapped ? 1 : 0);
        check(cuLaunchKernelEx(config, new CUfunc_st(new Handle(function)), parameters, new PointerPointer<>()), "cuLaunchKernelEx");
    }

    @Override
    public void encodeTensorMap(Pointer map, long address, int rows, int columns, int tileRows, int tileColumns) {
        bind();
        int code = cuTensorMapEncodeTiled(
                new CUtensorMap(map), CU_TENSOR_MAP_DATA_TYPE_UINT8, 2, new Handle(address), new long[] {columns, rows},
                new long[] {columns}, new int[] {tileColumns, tileRows}, new int[] {1, 1}, CU_TENSOR_MAP_INTERLEAVE_NONE,
                CU_TENSOR_MAP_SWIZZLE_NONE, CU_TENSOR_MAP_L2_PROMOTION_NONE, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
        check(code, "cuTensorMapEncodeTiled", "tiles of %d x %d of a matrix of %d x %d bytes".formatted(tileRows, tileColumns, rows, columns));
    }

    @Override
    public void beginCapture(long stream) {
        bind();
        check(cuStreamBeginCapture(stream(stream), CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), "cuStreamBeginCapture");
    }

    @Override
    public long endCapture(long stream) {
        bind();
        CUgraph_st graph = new CUgraph_st();
        check(cuStreamEndCapture(stream(stream), graph), "cuStreamEndCapture");
        CUgraphExec_st ready = new CUgraphExec_st();
        check(cuGraphInstantiate(ready, graph, 0), "cuGraphInstantiate");
        check(cuGraphDestroy(graph), "cuGraphDestroy");
        return ready.address();
    }

    @Override
    public void launchGraph(long graph, long stream) {
        bind();
        site = "a recorded step";
        check(cuGraphLaunch(new CUgraphExec_st(new Handle(graph)), stream(stream)), "cuGraphLaunch");
    }

    @Override
    public void destroyGraph(long graph) {
        bind();
        check(cuGraphExecDestroy(new CUgraphExec_st(new Handle(graph))), "cuGraphExecDestroy");
    }

    @Override
    public void close() {
        check(cuDevicePrimaryCtxRelease(ordinal), "cuDevicePrimaryCtxRelease");
    }

    /** The device's context belongs to a thread once it has been set there. */
    private void bind() {
        if (Thread.currentThread() != bound) {
            check(cuCtxSetCurrent(context), "cuCtxSetCurrent");
            bound = Thread.currentThread();
        }
    }

    private void check(int code, String call) {
        check(code, call, site);
    }

    private static void check(int code, String call, String site) {
        if (code == CUDA_SUCCESS) {
            return;
        }
        PointerPointer<BytePointer> name = new PointerPointer<>(1);
        String error = cuGetErrorName(code, name) == CUDA_SUCCESS ? name.get(BytePointer.class).getString() : "error " + code;
        if (LOST.contains(code)) {
            throw new DeviceLostException("%s failed with %s at %s".formatted(call, error, site));
        }
        throw new CudaException(call, error, site);
    }

    private static CUstream_st stream(long handle) {
        return new CUstream_st(new Handle(handle));
    }

    private static CUevent_st event(long handle) {
        return new CUevent_st(new Handle(handle));
    }

    /** A pointer to an address. */
    private static final class Handle extends Pointer {
        Handle(long address) {
            this.address = address;
        }
    }
}
