/* libcuda.so.1 without a GPU: the functions of the driver API that Moebius calls, over the kernels in emulation (emulated/kernels.h). A
   function that is missing here ends the program when it is called, by the dynamic linker's own message. Types of cuda.h are written as
   what they are in the C interface: results and devices as int, handles as pointers, device addresses as 64-bit numbers. */
#include <chrono>
#include <cstring>
#include <memory>

#include "../emulated/kernels.h"
#include "../emulated/tensor_map.h"
#include "machine.h"

using Address = unsigned long long;

namespace {

struct Call {
    std::lock_guard<std::recursive_mutex> lock;
    int result;
    explicit Call(const char *function) : lock(machine().mutex), result(machine().enter(function)) {
        if (result == kSuccess && !machine().initialized) result = kNotInitialized;
    }
};
/* Opens a function: counted, and ended at once where a failure is due. */
#define ENTER                       \
    Call call(__func__);            \
    if (call.result != kSuccess) return call.result

Stream default_stream;
Stream &stream_of(void *handle) { return handle ? *static_cast<Stream *>(handle) : default_stream; }
std::uint8_t *bytes_at(Address address) { return reinterpret_cast<std::uint8_t *>(address); }
std::uintptr_t number_of(const void *p) { return reinterpret_cast<std::uintptr_t>(p); }

bool on_device(Address address, std::size_t bytes) { return Machine::holds(machine().device, address, bytes); }
bool is_pinned(const void *p, std::size_t bytes) { return Machine::holds(machine().pinned, number_of(p), bytes); }

double now() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/* cuda.h: CUlaunchConfig. */
struct LaunchConfig {
    unsigned grid[3], block[3], shared_bytes;
    void *stream, *attributes;
    unsigned attribute_count;
};

int launch(Function &function, const unsigned (&grid)[3], const unsigned (&block)[3], unsigned shared_bytes, void *stream, void **parameters) {
    unsigned threads = block[0] * block[1] * block[2];
    if (grid[0] == 0 || grid[1] == 0 || grid[2] == 0 || threads == 0 || threads > 1024) return kInvalidValue;
    if (int(shared_bytes) > function.shared_bytes || !parameters) return kInvalidValue;
    std::size_t size = emu::parameter_bytes(function.name.c_str());
    auto structure = std::make_shared<std::vector<std::uint8_t>>(size + 64);
    auto *aligned = reinterpret_cast<std::uint8_t *>((number_of(structure->data()) + 63) & ~std::uintptr_t(63));
    std::memcpy(aligned, parameters[0], size);
    std::string name = function.name;
    const int places[3] = {int(grid[0]), int(grid[1]), int(grid[2])};
    machine().enqueue(stream_of(stream), [=] {
        const int blocks[3] = {places[0], places[1], places[2]};
        emu::run_kernel(name.c_str(), blocks, threads, shared_bytes, aligned);
        (void)structure;
    });
    return kSuccess;
}

}  // namespace

extern "C" {

/* For tests in the same process: Machine::order_failure. */
void moebius_order_failure(const char *failure) {
    std::lock_guard<std::recursive_mutex> lock(machine().mutex);
    machine().order_failure(failure);
}
/* How often a function was called. */
int moebius_count_calls(const char *function) {
    std::lock_guard<std::recursive_mutex> lock(machine().mutex);
    return machine().calls[function];
}
/* The device can be used again. */
void moebius_mend() {
    std::lock_guard<std::recursive_mutex> lock(machine().mutex);
    machine().lost = kSuccess;
}

int cuInit(unsigned) {
    std::lock_guard<std::recursive_mutex> lock(machine().mutex);
    if (int result = machine().enter(__func__)) return result;
    if (machine().devices == 0) return kNoDevice;
    if (!machine().initialized) machine().streams.push_back(&default_stream);
    machine().initialized = true;
    return kSuccess;
}
int cuDriverGetVersion(int *version) { *version = machine().version; return kSuccess; }
int cuGetErrorName(int result, const char **name) {
    *name = result_name(result);
    return *name ? kSuccess : kInvalidValue;
}
int cuGetErrorString(int result, const char **text) { return cuGetErrorName(result, text); }

int cuDeviceGetCount(int *count) { ENTER; *count = machine().devices; return kSuccess; }
int cuDeviceGet(int *device, int ordinal) {
    ENTER;
    if (ordinal < 0 || ordinal >= machine().devices) return kInvalidDevice;
    *device = ordinal;
    return kSuccess;
}
int cuDeviceGetName(char *name, int length, int device) {
    ENTER;
    if (device >= machine().devices) return kInvalidDevice;
    std::strncpy(name, "Emulated GPU", length);
    return kSuccess;
}
int cuDeviceTotalMem_v2(std::size_t *bytes, int device) {
    ENTER;
    if (device >= machine().devices) return kInvalidDevice;
    *bytes = machine().memory;
    return kSuccess;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    ENTER;
    if (device >= machine().devices) return kInvalidDevice;
    switch (attribute) {
        case 16: *value = emu::kMultiprocessors; break;
        case 75: *value = machine().capability / 10; break;
        case 76: *value = machine().capability % 10; break;
        case 97: *value = 232448; break; /* shared memory per block, opt-in */
        default: return kInvalidValue;
    }
    return kSuccess;
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
    ENTER;
    if (device >= machine().devices) return kInvalidDevice;
    *context = &machine();
    return kSuccess;
}
int cuDevicePrimaryCtxRelease_v2(int) { ENTER; machine().run_all(); return kSuccess; }
int cuCtxSetCurrent(void *) { ENTER; return kSuccess; }
int cuCtxSynchronize() { ENTER; machine().run_all(); return kSuccess; }

int cuMemGetInfo_v2(std::size_t *free, std::size_t *total) {
    ENTER;
    *total = machine().memory;
    *free = machine().memory - machine().used;
    return kSuccess;
}
int cuMemAlloc_v2(Address *address, std::size_t bytes) {
    ENTER;
    if (bytes == 0) return kInvalidValue;
    void *start = bytes > machine().memory - machine().used ? nullptr : machine().allocate(machine().device, bytes);
    if (!start) return kOutOfMemory;
    machine().used += bytes;
    *address = number_of(start);
    return kSuccess;
}
int cuMemFree_v2(Address address) {
    ENTER;
    auto found = machine().device.find(address);
    std::size_t bytes = found == machine().device.end() ? 0 : found->second;
    if (!machine().release(machine().device, address)) return kInvalidValue;
    machine().used -= bytes;
    return kSuccess;
}
int cuMemAllocHost_v2(void **address, std::size_t bytes) {
    ENTER;
    *address = bytes == 0 ? nullptr : machine().allocate(machine().pinned, bytes);
    return *address ? kSuccess : kInvalidValue;
}
int cuMemFreeHost(void *address) { ENTER; return machine().release(machine().pinned, number_of(address)) ? kSuccess : kInvalidValue; }

int cuMemcpyHtoDAsync_v2(Address to, const void *from, std::size_t bytes, void *stream) {
    ENTER;
    if (!on_device(to, bytes)) return kInvalidValue;
    if (is_pinned(from, bytes)) {
        machine().enqueue(stream_of(stream), [=] { std::memcpy(bytes_at(to), from, bytes); });
    } else {
        auto copy = std::make_shared<std::vector<std::uint8_t>>(static_cast<const std::uint8_t *>(from), static_cast<const std::uint8_t *>(from) + bytes);
        machine().enqueue(stream_of(stream), [=] { std::memcpy(bytes_at(to), copy->data(), bytes); });
    }
    return kSuccess;
}
int cuMemcpyDtoHAsync_v2(void *to, Address from, std::size_t bytes, void *stream) {
    ENTER;
    if (!on_device(from, bytes)) return kInvalidValue;
    Stream &on = stream_of(stream);
    machine().enqueue(on, [=] { std::memcpy(to, bytes_at(from), bytes); });
    if (!is_pinned(to, bytes) && !on.capture) machine().run(on, on.enqueued);
    return kSuccess;
}
int cuMemcpyDtoDAsync_v2(Address to, Address from, std::size_t bytes, void *stream) {
    ENTER;
    if (!on_device(to, bytes) || !on_device(from, bytes)) return kInvalidValue;
    machine().enqueue(stream_of(stream), [=] { std::memmove(bytes_at(to), bytes_at(from), bytes); });
    return kSuccess;
}
int cuMemsetD8Async(Address to, unsigned char value, std::size_t bytes, void *stream) {
    ENTER;
    if (!on_device(to, bytes)) return kInvalidValue;
    machine().enqueue(stream_of(stream), [=] { std::memset(bytes_at(to), value, bytes); });
    return kSuccess;
}

/* Matrices of bytes alone, copied as they lie. What else cuda.h allows is refused, as is what it does not. */
int cuTensorMapEncodeTiled(void *map, int type, unsigned dimensions, void *address, const std::uint64_t *sizes, const std::uint64_t *pitches,
                           const std::uint32_t *box, const std::uint32_t *steps, int interleave, int swizzle, int, int fill) {
    ENTER;
    bool plain = type == 0 && dimensions == 2 && steps[0] == 1 && steps[1] == 1 && interleave == 0 && swizzle == 0 && fill == 0;
    if (!plain || number_of(map) % 64 || number_of(address) % 16 || pitches[0] % 16 || pitches[0] >= 1ull << 40 || box[0] % 16) return kInvalidValue;
    for (int i = 0; i < 2; i++)
        if (sizes[i] == 0 || sizes[i] > 1ull << 32 || box[i] == 0 || box[i] > 256) return kInvalidValue;
    std::memset(map, 0, 128);
    *static_cast<emu::TensorMap *>(map) = {emu::kTensorMapMark, number_of(address), sizes[0], sizes[1], pitches[0], box[0], box[1]};
    return kSuccess;
}

int cuStreamCreate(void **stream, unsigned) {
    ENTER;
    machine().streams.push_back(new Stream);
    *stream = machine().streams.back();
    return kSuccess;
}
int cuStreamSynchronize(void *stream) {
    ENTER;
    if (stream_of(stream).capture) return kCaptureInvalidated;
    machine().run(stream_of(stream), stream_of(stream).enqueued);
    return kSuccess;
}
int cuStreamWaitEvent(void *stream, void *handle, unsigned) {
    ENTER;
    const Event &event = *static_cast<Event *>(handle);
    if (event.capture) {
        stream_of(stream).capture = event.capture;
    } else if (event.stream) {
        machine().enqueue(stream_of(stream), [from = event.stream, position = event.position] { machine().run(*from, position); });
    }
    return kSuccess;
}
int cuStreamBeginCapture_v2(void *stream, int) {
    ENTER;
    if (!stream || stream_of(stream).capture) return kInvalidValue;
    stream_of(stream).capture = new Graph;
    stream_of(stream).origin = true;
    return kSuccess;
}
int cuStreamEndCapture(void *stream, void **graph) {
    ENTER;
    Stream &from = stream_of(stream);
    if (!from.capture || !from.origin) return kInvalidValue;
    *graph = from.capture;
    for (Stream *other : machine().streams)
        if (other->capture == *graph) other->capture = nullptr;
    from.origin = false;
    return kSuccess;
}

int cuEventCreate(void **event, unsigned) { ENTER; *event = new Event; return kSuccess; }
int cuEventDestroy_v2(void *event) { ENTER; machine().run_all(); delete static_cast<Event *>(event); return kSuccess; }
int cuEventRecord(void *handle, void *stream) {
    ENTER;
    Event &event = *static_cast<Event *>(handle);
    Stream &on = stream_of(stream);
    event.capture = on.capture;
    if (on.capture) return kSuccess;
    machine().enqueue(on, [&event] { event.milliseconds = now(); });
    event.stream = &on;
    event.position = on.enqueued;
    return kSuccess;
}
int cuEventQuery(void *handle) {
    ENTER;
    const Event &event = *static_cast<Event *>(handle);
    return event.stream && event.stream->done < event.position ? kNotReady : kSuccess;
}
int cuEventSynchronize(void *handle) {
    ENTER;
    const Event &event = *static_cast<Event *>(handle);
    if (event.stream) machine().run(*event.stream, event.position);
    return kSuccess;
}
int cuEventElapsedTime_v2(float *milliseconds, void *first, void *second) {
    ENTER;
    *milliseconds = float(static_cast<Event *>(second)->milliseconds - static_cast<Event *>(first)->milliseconds);
    return kSuccess;
}

int cuModuleLoadData(void **module, const void *image) {
    ENTER;
    const std::uint32_t fatbin = 0xba55ed50;
    if (std::memcmp(image, &fatbin, sizeof fatbin) != 0) return kInvalidImage;
    *module = new Module;
    return kSuccess;
}
int cuModuleUnload(void *module) { ENTER; delete static_cast<Module *>(module); return kSuccess; }
int cuModuleGetFunction(void **function, void *, const char *name) {
    ENTER;
    if (emu::parameter_bytes(name) == 0) return kNotFound;
    *function = new Function{name};
    return kSuccess;
}
int cuFuncSetAttribute(void *function, int attribute, int value) {
    ENTER;
    if (attribute != 8 || value > 232448) return kInvalidValue; /* dynamic shared memory */
    static_cast<Function *>(function)->shared_bytes = value;
    return kSuccess;
}
int cuLaunchKernelEx(const LaunchConfig *config, void *function, void **parameters, void **) {
    ENTER;
    return launch(*static_cast<Function *>(function), config->grid, config->block, config->shared_bytes, config->stream, parameters);
}
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared_bytes,
                   void *stream, void **parameters, void **) {
    ENTER;
    return launch(*static_cast<Function *>(function), {gx, gy, gz}, {bx, by, bz}, shared_bytes, stream, parameters);
}

int cuGraphInstantiateWithFlags(void **ready, void *graph, unsigned long long) {
    ENTER;
    *ready = new Graph(*static_cast<Graph *>(graph));
    return kSuccess;
}
int cuGraphDestroy(void *graph) { ENTER; delete static_cast<Graph *>(graph); return kSuccess; }
int cuGraphExecDestroy(void *ready) { ENTER; machine().run_all(); delete static_cast<Graph *>(ready); return kSuccess; }
int cuGraphLaunch(void *ready, void *stream) {
    ENTER;
    Graph *graph = static_cast<Graph *>(ready);
    machine().enqueue(stream_of(stream), [graph] {
        for (const Work &work : graph->work) work();
    });
    return kSuccess;
}

}
