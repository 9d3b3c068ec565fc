/* A CUDA device that is none: what the stand-in driver (driver.cpp) keeps. Work is enqueued and done only when somebody must wait for
   it, so that a host that reads or changes memory too early gets wrong numbers here, every time. */
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

/* Results of the driver API (cuda.h), as far as the stand-in gives them. */
enum Result {
    kSuccess = 0, kInvalidValue = 1, kOutOfMemory = 2, kNotInitialized = 3, kNoDevice = 100, kInvalidDevice = 101, kInvalidImage = 200, kNoBinary = 209,
    kInvalidHandle = 400, kNotFound = 500, kNotReady = 600, kIllegalAddress = 700, kLaunchFailed = 719, kCaptureInvalidated = 901
};
/* Its name, or NULL for a number that the stand-in has no name for. */
const char *result_name(int result);

using Work = std::function<void()>;

struct Graph { std::vector<Work> work; };

struct Stream {
    std::deque<Work> queue;
    std::int64_t enqueued = 0, done = 0;
    Graph *capture = nullptr;
    bool origin = false; /* of the capture */
};

struct Event {
    Stream *stream = nullptr; /* NULL until recorded */
    std::int64_t position = 0; /* after so many items of the stream's work */
    Graph *capture = nullptr;
    double milliseconds = 0;
};

struct Module { std::vector<std::uint8_t> image; };
struct Function { std::string name; int shared_bytes = 49152; };

/* All calls are made under its mutex. */
struct Machine {
    std::recursive_mutex mutex;
    bool initialized = false;
    int devices, version, capability;
    std::size_t memory, used = 0;
    int lost = kSuccess; /* a result that every later call gives */
    std::map<std::uintptr_t, std::size_t> device, pinned; /* allocations by address: bytes */
    std::vector<Stream *> streams;
    std::map<std::string, int> calls; /* how often each function was called */

    /* From the environment: MOEBIUS_EMULATED_DEVICES (1), _DRIVER (13000), _CAPABILITY (90), _MEMORY (bytes, 2 GiB), and _FAILURE and
       _LOG, see enter(). */
    Machine();

    /* Counts the call and writes its name to the file MOEBIUS_EMULATED_LOG. What it is to return at once: the failure that
       MOEBIUS_EMULATED_FAILURE=FUNCTION:N:RESULT orders for the N-th call of FUNCTION, or what has been lost. */
    int enter(const char *function);
    void order_failure(const std::string &failure);

    void *allocate(std::map<std::uintptr_t, std::size_t> &kind, std::size_t bytes);
    /* False if nothing of the kind begins there. Waits for all work. */
    bool release(std::map<std::uintptr_t, std::size_t> &kind, std::uintptr_t address);
    /* Whether the whole range lies in one allocation of the kind. */
    static bool holds(const std::map<std::uintptr_t, std::size_t> &kind, std::uintptr_t address, std::size_t bytes);

    void enqueue(Stream &stream, Work work);
    /* Does the stream's work up to a position. */
    void run(Stream &stream, std::int64_t position);
    void run_all();

  private:
    std::string failing;
    int failing_call = 0, failure = kSuccess;
};

Machine &machine();
