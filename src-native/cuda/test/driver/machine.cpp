#include "machine.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

constexpr std::align_val_t kAlignment{1024};

long long number(const char *variable, long long otherwise) {
    const char *value = std::getenv(variable);
    return value ? std::atoll(value) : otherwise;
}

}  // namespace

const char *result_name(int result) {
    switch (result) {
        case kSuccess: return "CUDA_SUCCESS";
        case kInvalidValue: return "CUDA_ERROR_INVALID_VALUE";
        case kOutOfMemory: return "CUDA_ERROR_OUT_OF_MEMORY";
        case kNotInitialized: return "CUDA_ERROR_NOT_INITIALIZED";
        case kNoDevice: return "CUDA_ERROR_NO_DEVICE";
        case kInvalidDevice: return "CUDA_ERROR_INVALID_DEVICE";
        case kInvalidImage: return "CUDA_ERROR_INVALID_IMAGE";
        case kNoBinary: return "CUDA_ERROR_NO_BINARY_FOR_GPU";
        case kInvalidHandle: return "CUDA_ERROR_INVALID_HANDLE";
        case kNotFound: return "CUDA_ERROR_NOT_FOUND";
        case kNotReady: return "CUDA_ERROR_NOT_READY";
        case kIllegalAddress: return "CUDA_ERROR_ILLEGAL_ADDRESS";
        case kLaunchFailed: return "CUDA_ERROR_LAUNCH_FAILED";
        case kCaptureInvalidated: return "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED";
        default: return nullptr;
    }
}

Machine &machine() {
    static Machine *one = new Machine;
    return *one;
}

Machine::Machine()
    : devices(number("MOEBIUS_EMULATED_DEVICES", 1)), version(number("MOEBIUS_EMULATED_DRIVER", 13000)),
      capability(number("MOEBIUS_EMULATED_CAPABILITY", 90)), memory(number("MOEBIUS_EMULATED_MEMORY", 1ll << 31)) {
    if (const char *ordered = std::getenv("MOEBIUS_EMULATED_FAILURE")) order_failure(ordered);
}

void Machine::order_failure(const std::string &text) {
    std::size_t first = text.find(':'), second = text.find(':', first + 1);
    if (second == std::string::npos) {
        std::fprintf(stderr, "emulated driver: a failure is FUNCTION:N:RESULT, not %s\n", text.c_str());
        std::abort();
    }
    failing = text.substr(0, first);
    failing_call = calls[failing] + std::atoi(text.c_str() + first + 1);
    failure = std::atoi(text.c_str() + second + 1);
}

int Machine::enter(const char *function) {
    int call = ++calls[function];
    if (const char *path = std::getenv("MOEBIUS_EMULATED_LOG")) {
        if (std::FILE *log = std::fopen(path, "a")) {
            std::fprintf(log, "%s\n", function);
            std::fclose(log);
        }
    }
    if (lost != kSuccess) return lost;
    if (call == failing_call && failing == function) {
        if (failure >= kIllegalAddress && failure <= kLaunchFailed) lost = failure;
        return failure;
    }
    return kSuccess;
}

void *Machine::allocate(std::map<std::uintptr_t, std::size_t> &kind, std::size_t bytes) {
    void *start = operator new[](bytes, kAlignment, std::nothrow);
    if (!start) return nullptr;
    std::memset(start, 0xff, bytes);
    kind[reinterpret_cast<std::uintptr_t>(start)] = bytes;
    return start;
}

bool Machine::release(std::map<std::uintptr_t, std::size_t> &kind, std::uintptr_t address) {
    auto found = kind.find(address);
    if (found == kind.end()) return false;
    run_all();
    kind.erase(found);
    operator delete[](reinterpret_cast<void *>(address), kAlignment);
    return true;
}

bool Machine::holds(const std::map<std::uintptr_t, std::size_t> &kind, std::uintptr_t address, std::size_t bytes) {
    auto after = kind.upper_bound(address);
    if (after == kind.begin()) return false;
    auto [start, length] = *std::prev(after);
    return address + bytes <= start + length;
}

void Machine::enqueue(Stream &stream, Work work) {
    if (stream.capture) {
        stream.capture->work.push_back(std::move(work));
        return;
    }
    stream.queue.push_back(std::move(work));
    stream.enqueued++;
}

void Machine::run(Stream &stream, std::int64_t position) {
    while (stream.done < position && !stream.queue.empty()) {
        Work work = std::move(stream.queue.front());
        stream.queue.pop_front();
        stream.done++;
        work();
    }
}

void Machine::run_all() {
    for (Stream *stream : streams) run(*stream, stream->enqueued);
}
