// The loops whose speed depends on the instruction set; each set compiles kernels.cpp once.
#pragma once
#include "matrix.h"

namespace moebius {

struct Kernels {
    // out [columns] = row of the matrix, dequantised.
    void (*decode_row)(const Matrix &matrix, int row, float *out);
    // sum of a[i] * b[i]; the order of the sums depends on count alone.
    float (*dot)(const float *a, const float *b, int count);
    // y += factor * x.
    void (*add_scaled)(float *y, float factor, const float *x, int count);
};

extern const Kernels kernels_avx512, kernels_avx2, kernels_baseline;

}  // namespace moebius
