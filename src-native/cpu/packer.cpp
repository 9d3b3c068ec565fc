#include "packer.h"

#include <algorithm>

#include "pack.h"
#include "pages.h"

namespace moebius {

namespace {

// Panels between two looks at whether to stop.
constexpr int kPiece = 8;
// Of so many threads that compute, one repacks beside them.
constexpr int kComputing = 4;

int64_t packed_bytes(const Matrix &matrix) { return panels_of(matrix) * static_cast<int64_t>(panel_bytes(matrix)); }

}  // namespace

Packer::~Packer() {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    for (std::thread &thread : threads_) thread.join();
}

void Packer::pack(Matrix &matrix) { pack(matrix, true); }

void Packer::pack(Matrix &matrix, bool by_pool) {
    unsigned char *packed;
    {
        std::lock_guard<std::mutex> lock(memory_mutex_);
        packed = memory_.take(packed_bytes(matrix));
    }
    if (packed == nullptr) return;
    const int panels = panels_of(matrix), threads = by_pool ? pool_.threads() : 1;
    const int pieces = threads * ((panels + kPiece * threads - 1) / (kPiece * threads));
    auto pack_pieces = [&](int first, int last, int) {
        for (int piece = first; piece < last && !stop_; piece++) {
            // Each thread in a part of its own: two that touch one large page first would both clear it.
            const int begin = (piece % threads * (pieces / threads) + piece / threads) * kPiece, end = std::min(panels, begin + kPiece);
            if (begin < end) pack_panels<Store::kStreamed>(matrix, begin, end, packed + begin * panel_bytes(matrix));
        }
    };
    if (by_pool) pool_.parallel(pieces, 1, pack_pieces);
    else pack_pieces(0, pieces, 0);
    if (!stop_) matrix.packed.store(packed, std::memory_order_release);
}

void Packer::add(Matrix &matrix) {
    std::lock_guard<std::mutex> lock(mutex_);
    // Here, where a thread that can't be had is the end of a start, not of a step.
    while (static_cast<int>(threads_.size()) < std::max(1, pool_.threads() / kComputing)) threads_.emplace_back([this] { work(); });
    waiting_.push_back(&matrix);
    bytes_left_ += packed_bytes(matrix);
    changed_.notify_all();
}

void Packer::begin() {
    std::lock_guard<std::mutex> lock(mutex_);
    begun_ = true;
    changed_.notify_all();
}

bool Packer::pack_next(std::unique_lock<std::mutex> &lock, bool by_pool) {
    if (waiting_.empty()) return false;
    Matrix &matrix = *waiting_.front();
    waiting_.pop_front();
    running_++;
    lock.unlock();
    pack(matrix, by_pool);
    if (matrix.packed != nullptr) drop_pages(matrix.data, data_bytes(matrix));
    bytes_left_ -= packed_bytes(matrix);
    lock.lock();
    running_--;
    changed_.notify_all();
    return true;
}

void Packer::finish() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (pack_next(lock, true)) continue;
    changed_.wait(lock, [this] { return running_ == 0; });
}

void Packer::work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stop_)
        if (!begun_ || !pack_next(lock, false)) changed_.wait(lock, [this] { return stop_ || (begun_ && !waiting_.empty()); });
}

}  // namespace moebius
