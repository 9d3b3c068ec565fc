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
};

}  // namespace moebius
