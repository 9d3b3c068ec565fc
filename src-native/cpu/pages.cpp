#include "pages.h"

#include <sys/mman.h>

#include <algorithm>

namespace moebius {

namespace {

#ifndef MADV_POPULATE_READ
constexpr int MADV_POPULATE_READ = 22;
#endif

constexpr uintptr_t kPage = 4096;
constexpr uintptr_t kPiece = 2 << 20;

}  // namespace

void fetch_pages(const unsigned char *data, int64_t bytes, ThreadPool &pool) {
    const uintptr_t begin = reinterpret_cast<uintptr_t>(data) / kPage * kPage, end = reinterpret_cast<uintptr_t>(data) + bytes;
    pool.parallel(static_cast<int>((end - begin + kPiece - 1) / kPiece), 1, [&](int first, int last, int) {
        const uintptr_t from = begin + first * kPiece, to = std::min(end, begin + last * kPiece);
        void *pages = reinterpret_cast<void *>(from);
        // Linux before 5.14 can only be told to begin with it.
        if (madvise(pages, to - from, MADV_POPULATE_READ) != 0) madvise(pages, to - from, MADV_WILLNEED);
    });
}

void drop_pages(const unsigned char *data, int64_t bytes) {
    const uintptr_t first = (reinterpret_cast<uintptr_t>(data) + kPage - 1) / kPage * kPage;
    const uintptr_t last = (reinterpret_cast<uintptr_t>(data) + bytes) / kPage * kPage;
    if (first < last) madvise(reinterpret_cast<void *>(first), last - first, MADV_DONTNEED);
}

}  // namespace moebius
