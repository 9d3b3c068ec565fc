#include "arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "moebius_cpu.h"

namespace moebius {

namespace {

constexpr int64_t kLargePage = 2 << 20;
constexpr int64_t kRegion = 256 << 20;
constexpr int64_t kLine = 64;

int64_t whole(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

Arena::~Arena() {
    for (const Region &region : regions_) moebius_free(region.memory, region.bytes);
}

unsigned char *Arena::take(int64_t bytes) {
    bytes = whole(bytes, kLine);
    if (bytes > left_) {
        const int64_t room = std::max(kRegion, whole(bytes, kLargePage)), mapped = room + kLargePage;
        void *memory = moebius_allocate(mapped);
        if (memory == nullptr) return nullptr;
        try {
            regions_.push_back({memory, mapped});
        } catch (const std::bad_alloc &) {
            moebius_free(memory, mapped);
            return nullptr;
        }
        madvise(memory, mapped, MADV_HUGEPAGE);
        // Kernels may read a few bytes before a piece (packed_f32.h).
        next_ = reinterpret_cast<unsigned char *>(whole(reinterpret_cast<int64_t>(memory) + kLine, kLargePage));
        left_ = room;
    }
    unsigned char *piece = next_;
    next_ += bytes;
    left_ -= bytes;
    return piece;
}

}  // namespace moebius
