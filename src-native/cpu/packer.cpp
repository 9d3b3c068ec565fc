#include "packer.h"

#include <algorithm>

#include "pack.h"
#include "pages.h"

namespace moebius {

namespace {

// Panels between two looks at whether to stop.
constexpr int kPiece = 64;

int64_t packed_bytes(const Matrix &matrix) { return panels_of(matrix) * static_cast<int64_t>(panel_bytes(matrix)); }

}  // namespace

Packer::~Packer() {
    {
        std::lock_guard<std::mutex> lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Packer::pack(Matrix &matrix) {
    unsigned char *packed;
    {
        std::lock_guard<std::mutex> lock(memory_mutex_);
        packed = memory_.take(packed_bytes(matrix));
    }
    if (packed == nullptr) return;
    const int panels = panels_of(matrix);
    for (int first = 0; first < panels; first += kPiece) {
        if (stop_) return;
        pack_panels<Store::kStreamed>(matrix, first, std::min(panels, first + kPiece), packed + first * panel_bytes(matrix));
    }
    matrix.packed.store(packed, std::memory_order_release);
}

void Packer::add(Matrix &matrix) {
    std::lock_guard<std::mutex> lock(mutex_);
    waiting_.push_back(&matrix);
    bytes_left_ += packed_bytes(matrix);
    changed_.notify_all();
}

void Packer::begin() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
}

bool Packer::pack_next(std::unique_lock<std::mutex> &lock) {
    if (waiting_.empty()) return false;
    Matrix &matrix = *waiting_.front();
    waiting_.pop_front();
    running_++;
    lock.unlock();
    pack(matrix);
    drop_pages(matrix.data, data_bytes(matrix));
    bytes_left_ -= packed_bytes(matrix);
    lock.lock();
    running_--;
    changed_.notify_all();
    return true;
}

void Packer::finish() {
    begin();
    std::unique_lock<std::mutex> lock(mutex_);
    while (pack_next(lock)) continue;
    changed_.wait(lock, [this] { return running_ == 0; });
}

void Packer::work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!stop_)
        if (!pack_next(lock)) changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
}

}  // namespace moebius
