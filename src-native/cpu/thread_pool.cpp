#include "thread_pool.h"

#include <algorithm>

namespace moebius {

namespace {
// About 20 microseconds: the gap between two kernels of a step, not that between two requests.
constexpr int kSpins = 4000;

void pause_briefly() { __builtin_ia32_pause(); }
}  // namespace

ThreadPool::ThreadPool(int threads) {
    for (int i = 1; i < threads; i++) workers_.emplace_back([this, i] { work(i); });
}

ThreadPool::~ThreadPool() {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        stop_ = true;
        round_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (auto &worker : workers_) worker.join();
}

void ThreadPool::parallel(int count, int grain, int limit, const std::function<void(int, int, int)> &body) {
    if (count <= grain || limit <= 1 || workers_.empty()) {
        if (count > 0) body(0, count, 0);
        return;
    }
    {
        std::lock_guard<std::mutex> lock(mutex_);
        body_ = &body;
        count_ = count;
        grain_ = grain;
        limit_ = limit;
        next_.store(0, std::memory_order_relaxed);
        busy_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
        round_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    take_pieces(0);
    for (int spin = 0; busy_.load(std::memory_order_acquire) > 0 && spin < kSpins; spin++) pause_briefly();
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [this] { return busy_.load(std::memory_order_acquire) == 0; });
}

void ThreadPool::take_pieces(int thread) {
    for (int begin; (begin = next_.fetch_add(grain_, std::memory_order_relaxed)) < count_;)
        (*body_)(begin, std::min(begin + grain_, count_), thread);
}

void ThreadPool::work(int thread) {
    unsigned seen = 0;
    while (true) {
        for (int spin = 0; round_.load(std::memory_order_acquire) == seen && spin < kSpins; spin++) pause_briefly();
        {
            std::unique_lock<std::mutex> lock(mutex_);
            wake_.wait(lock, [&] { return round_.load(std::memory_order_acquire) != seen; });
            seen = round_.load(std::memory_order_acquire);
            if (stop_) return;
        }
        if (thread < limit_) take_pieces(thread);
        if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            std::lock_guard<std::mutex> lock(mutex_);
            idle_.notify_one();
        }
    }
}

}  // namespace moebius
