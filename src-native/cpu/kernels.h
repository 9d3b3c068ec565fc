// The loops whose speed depends on the instruction set; each set compiles kernels.cpp once.
#pragma once
#include "matrix.h"

namespace moebius {

// out [rows, matrix rows] = x * transpose(matrix), added to out if add.
struct Product {
    const Matrix *matrix;
    const float *x;
    int rows;
    float *out;
    bool add;
};

// How products are shared out, as moebius_cpu.h says.
struct Blocking {
    int threads;
    int panel;
    int direct;
};

struct Kernels {
    // The columns of a product that rows [from, to) of its matrix give; scratch holds (to - from) * columns floats.
    void (*multiply)(const Product &product, int from, int to, int direct, float *scratch);
    // out [columns] = row of the matrix, dequantised.
    void (*decode_row)(const Matrix &matrix, int row, float *out);
    // sum of a[i] * b[i]; the order of the sums depends on count alone.
    float (*dot)(const float *a, const float *b, int count);
    // y += factor * x.
    void (*add_scaled)(float *y, float factor, const float *x, int count);
};

extern const Kernels kernels_avx512, kernels_avx2, kernels_baseline;

}  // namespace moebius
