// Repacks whole matrices, so that products need not do it again and again.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "arena.h"
#include "matrix.h"
#include "thread_pool.h"

namespace moebius {

class Packer {
public:
    // pool: of the thread that calls pack and finish.
    explicit Packer(ThreadPool &pool) : pool_(pool) {}
    ~Packer();

    // Repacks a matrix at once; leaves it as it is where there is no memory.
    void pack(Matrix &matrix);

    // Takes a matrix of a mapped file that begin will have repacked.
    void add(Matrix &matrix);

    // Lets threads beside the pool's repack what was added, in the order of the calls.
    void begin();

    // Returns when all is repacked that was added.
    void finish();

    // Bytes of memory that repacking what was added will still take.
    int64_t bytes_left() const { return bytes_left_.load(std::memory_order_relaxed); }

private:
    void work();
    // The next one that waits, if there is one, by all threads of the pool or by this thread; unlocks meanwhile.
    bool pack_next(std::unique_lock<std::mutex> &lock, bool by_pool);
    void pack(Matrix &matrix, bool by_pool);

    ThreadPool &pool_;
    Arena memory_{};
    std::mutex memory_mutex_{};
    std::mutex mutex_{};
    std::condition_variable changed_{};
    std::deque<Matrix *> waiting_{};
    int running_ = 0;
    bool begun_ = false;
    std::atomic<bool> stop_{false};
    std::atomic<int64_t> bytes_left_{0};
    std::vector<std::thread> threads_{};
};

}  // namespace moebius
