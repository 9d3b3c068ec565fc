// A fixed number of worker threads that share the iterations of one loop at a time.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace moebius {

class ThreadPool {
public:
    // threads: the caller's own counted, at least 1.
    explicit ThreadPool(int threads);
    ~ThreadPool();

    int threads() const { return static_cast<int>(workers_.size()) + 1; }

    // body(begin, end, thread) over all of [0, count), in pieces of at most grain; returns when all are done.
    void parallel(int count, int grain, const std::function<void(int, int, int)> &body) { parallel(count, grain, threads(), body); }

    // The same by at most `limit` threads.
    void parallel(int count, int grain, int limit, const std::function<void(int, int, int)> &body);

private:
    void work(int thread);
    void take_pieces(int thread);

    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable idle_;
    std::atomic<unsigned> round_{0};
    bool stop_ = false;
    const std::function<void(int, int, int)> *body_ = nullptr;
    std::atomic<int> next_{0};
    int count_ = 0;
    int grain_ = 1;
    int limit_ = 1;
    std::atomic<int> busy_{0};
};

}  // namespace moebius
