// A matrix as the kernels see it.
#pragma once
#include <vector>

namespace moebius {

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

    // The same repacked, where the kernels do that: pack.cpp says how. scales: [panels][blocks][16].
    unsigned char *packed = nullptr;
    long packed_columns = 0;
    int packed_blocks = 0;
    const float *packed_scales = nullptr;
    std::vector<float> packed_scales_memory = {};
};

}  // namespace moebius
