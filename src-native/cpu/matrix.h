// A matrix as the kernels see it.
#pragma once
#include <atomic>
#include <vector>

namespace moebius {

// Columns of a group of MOEBIUS_INT4.
constexpr int kInt4Group = 32;

// How the rows of a matrix lie that is multiplied: as in its checkpoint, or 16 of them interleaved, as pack.h says.
enum class Form { kPlain, kPairCodes, kCodes, kBrains };

struct Matrix {
    const unsigned char *data;
    int type;
    int rows;
    int columns;
    std::vector<float> scales;
    int block_rows;
    int block_columns;
    int activation;
    float activation_scale;
    int group;

    Form form = Form::kPlain;
    // Of other forms; scales: [panels][blocks][16], no number where a code is none.
    long packed_columns = 0;
    int packed_blocks = 0;
    float *packed_scales = nullptr;
    std::vector<float> packed_scales_memory = {};
    // All panels, once they are repacked; until then products repack what they use.
    std::atomic<const unsigned char *> packed{nullptr};
};

}  // namespace moebius
