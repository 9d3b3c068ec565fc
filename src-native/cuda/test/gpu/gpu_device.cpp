#include "gpu_device.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "helpers.h"

static std::string read_image(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + ": can't be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

GpuDevice::GpuDevice(const std::vector<std::string> &fatbins) {
    DRIVER(cuInit, 0u);
    DRIVER(cuDeviceGet, &device, 0);
    CUcontext context;
    DRIVER(cuDevicePrimaryCtxRetain, &context, device);
    DRIVER(cuCtxSetCurrent, context);
    capability = attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 + attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    processors = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    if (capability < 89) throw std::runtime_error("compute capability " + std::to_string(capability) + " is below 89");
    stand_in = description().find("Emulated") == 0;
    DRIVER(cuStreamCreate, &stream, unsigned(CU_STREAM_NON_BLOCKING));
    DRIVER(cuEventCreate, &before, unsigned(CU_EVENT_DEFAULT));
    DRIVER(cuEventCreate, &after, unsigned(CU_EVENT_DEFAULT));
    for (const std::string &path : fatbins) {
        images.push_back(read_image(path));
        CUmodule module;
        DRIVER(cuModuleLoadData, &module, static_cast<const void *>(images.back().data()));
        modules.push_back(module);
    }
}

GpuDevice::~GpuDevice() {
    try {
        release(0);
    } catch (const std::exception &) {
        /* The device is lost; the test that lost it has said so. */
    }
}

int GpuDevice::attribute(CUdevice_attribute which) const {
    int value = 0;
    DRIVER(cuDeviceGetAttribute, &value, which, device);
    return value;
}

std::string GpuDevice::description() const {
    char name[256] = {};
    int version = 0;
    std::size_t bytes = 0;
    DRIVER(cuDeviceGetName, name, int(sizeof name), device);
    DRIVER(cuDriverGetVersion, &version);
    DRIVER(cuDeviceTotalMem, &bytes, device);
    return std::string(name) + ", CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10) + " driver, " +
           std::to_string(processors) + " multiprocessors, " + std::to_string(bytes >> 30) + " GiB";
}

std::size_t GpuDevice::free_bytes() const {
    std::size_t free = 0, total = 0;
    DRIVER(cuMemGetInfo, &free, &total);
    return free;
}

void *GpuDevice::allocate(std::size_t bytes) {
    CUdeviceptr address = 0;
    DRIVER(cuMemAlloc, &address, bytes + 16);
    memory.push_back(address);
    DRIVER(cuMemsetD8Async, address, static_cast<unsigned char>(0xff), bytes + 16, stream);
    return reinterpret_cast<void *>(address);
}

void GpuDevice::release(std::size_t keep) {
    wait();
    while (memory.size() > keep) {
        DRIVER(cuMemFree, memory.back());
        memory.pop_back();
    }
}

void GpuDevice::wait() const { DRIVER(cuStreamSynchronize, stream); }

void GpuDevice::write(void *to, const void *from, std::size_t bytes) {
    if (bytes == 0) return;
    DRIVER(cuMemcpyHtoDAsync, reinterpret_cast<CUdeviceptr>(to), from, bytes, stream);
    wait();
}
void GpuDevice::read(void *to, const void *from, std::size_t bytes) {
    if (bytes == 0) return;
    DRIVER(cuMemcpyDtoHAsync, to, reinterpret_cast<CUdeviceptr>(from), bytes, stream);
    wait();
}
void GpuDevice::clear(void *p, std::size_t bytes) {
    if (bytes > 0) DRIVER(cuMemsetD8Async, reinterpret_cast<CUdeviceptr>(p), static_cast<unsigned char>(0), bytes, stream);
}

void GpuDevice::fill_codes(std::uint8_t *to, std::size_t count, std::uint64_t seed) { fill(to, count, seed, 1, 1); }
void GpuDevice::fill_bf16(std::uint16_t *to, std::size_t count, std::uint64_t seed, float scale) { fill(to, count, seed, scale, 0); }
void GpuDevice::fill(void *to, std::size_t count, std::uint64_t seed, float scale, int codes) {
    helper_fill p{to, seed, std::int64_t(count), scale, codes};
    bool kept = overlapped;
    overlapped = false;
    launch("helper_fill_values", {processors * 8, 1, 1}, 256, 0, &p, sizeof p);
    overlapped = kept;
}

CUfunction GpuDevice::function(const char *kernel, int shared_bytes) {
    CUfunction &f = functions[kernel];
    if (f) return f;
    CUmodule module = modules.at(std::string(kernel).rfind("helper_", 0) == 0 ? 1 : 0);
    DRIVER(cuModuleGetFunction, &f, module, kernel);
    if (shared_bytes > 0) DRIVER(cuFuncSetAttribute, f, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, shared_bytes);
    return f;
}

void GpuDevice::launch(const char *kernel, const int (&grid)[3], int threads, int shared_bytes, const void *structure, std::size_t) {
    CUlaunchAttribute attribute{};
    attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attribute.value.programmaticStreamSerializationAllowed = 1;
    CUlaunchConfig config{};
    config.gridDimX = grid[0]; config.gridDimY = grid[1]; config.gridDimZ = grid[2];
    config.blockDimX = threads; config.blockDimY = config.blockDimZ = 1;
    config.sharedMemBytes = shared_bytes; config.hStream = stream;
    config.attrs = &attribute; config.numAttrs = overlapped && image_waits() ? 1 : 0;
    void *parameters[] = {const_cast<void *>(structure)};
    DRIVER(cuLaunchKernelEx, static_cast<const CUlaunchConfig *>(&config), function(kernel, shared_bytes), static_cast<void **>(parameters),
           static_cast<void **>(nullptr));
}

GpuDevice::Time GpuDevice::time(const std::function<void()> &enqueue, int rounds) {
    enqueue(); /* loads what is loaded at a first call, which a recording may not */
    wait();
    CUgraph graph;
    CUgraphExec ready;
    DRIVER(cuStreamBeginCapture, stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    enqueue();
    DRIVER(cuStreamEndCapture, stream, &graph);
    DRIVER(cuGraphInstantiateWithFlags, &ready, graph, 0ull);
    std::vector<double> seconds;
    for (int round = -1; round < rounds; round++) {
        DRIVER(cuEventRecord, before, stream);
        DRIVER(cuGraphLaunch, ready, stream);
        DRIVER(cuEventRecord, after, stream);
        DRIVER(cuEventSynchronize, after);
        float milliseconds = 0;
        DRIVER(cuEventElapsedTime, &milliseconds, before, after);
        if (round >= 0) seconds.push_back(milliseconds * 1e-3);
    }
    DRIVER(cuGraphExecDestroy, ready);
    DRIVER(cuGraphDestroy, graph);
    std::sort(seconds.begin(), seconds.end());
    return {seconds[seconds.size() / 2], seconds[0]};
}
