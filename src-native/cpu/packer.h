// Repacks whole matrices, so that products need not do it again and again.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "arena.h"
#include "matrix.h"

namespace moebius {

class Packer {
public:
    Packer() = default;
    ~Packer();

    // Where there is memory for it; by the caller.
    void pack(Matrix &matrix);

    // The same later. Its data is a file's.
    void add(Matrix &matrix);

    // Repacks what was added, in the order of the calls, by a thread beside the others.
    void begin();

    // Returns when all are repacked that were added; the caller helps.
    void finish();

    // That matrices which were added will still take.
    int64_t bytes_left() const { return bytes_left_.load(std::memory_order_relaxed); }

private:
    void work();
    // The next one, if there is one; unlocks meanwhile.
    bool pack_next(std::unique_lock<std::mutex> &lock);

    Arena memory_{};
    std::mutex memory_mutex_{};
    std::mutex mutex_{};
    std::condition_variable changed_{};
    std::deque<Matrix *> waiting_{};
    int running_ = 0;
    std::atomic<bool> stop_{false};
    std::atomic<int64_t> bytes_left_{0};
    std::thread thread_{};
};

}  // namespace moebius
