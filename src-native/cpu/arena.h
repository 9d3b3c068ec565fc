// Memory for weights: pieces of large regions in large pages, freed all together.
#pragma once
#include <cstdint>
#include <vector>

namespace moebius {

class Arena {
public:
    Arena() = default;
    Arena(const Arena &) = delete;
    ~Arena();

    // Zeroed memory, aligned to a cache line, that takes no room until it is written; nullptr if there is none.
    unsigned char *take(int64_t bytes);

private:
    struct Region {
        void *memory;
        int64_t bytes;
    };

    std::vector<Region> regions_;
    unsigned char *next_ = nullptr;
    int64_t left_ = 0;
};

}  // namespace moebius
