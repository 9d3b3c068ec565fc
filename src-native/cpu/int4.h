// Products with 4-bit weights: panels are decoded, then multiplied in float32.
//
//   w[n, k] = scale[n, k / 32] * (code[n, k] - 8); a group of 32 columns is 16 bytes, byte i holding codes i and i + 16, low half
//   first; the last group of a row is filled up.
#pragma once
#include "gemm.h"

namespace moebius {
namespace {

void decode_int4_row(const Matrix &matrix, long row, float *out) {
    const long columns = matrix.columns, groups = (columns + kInt4Group - 1) / kInt4Group;
    const unsigned char *codes = matrix.data + row * groups * (kInt4Group / 2);
    const float *scales = matrix.scales.data() + row * groups;
    for (long g = 0; g < groups; g++, codes += kInt4Group / 2, out += kInt4Group) {
        float group[kInt4Group];
        const long left = columns - g * kInt4Group;
        float *to = left < kInt4Group ? group : out;
        for (int i = 0; i < kInt4Group / 2; i++) {
            to[i] = static_cast<float>((codes[i] & 15) - 8) * scales[g];
            to[i + kInt4Group / 2] = static_cast<float>((codes[i] >> 4) - 8) * scales[g];
        }
        if (to == group) memcpy(out, group, left * sizeof(float));
    }
}

void multiply_int4(const Product &product, int from, int to, float *scratch) {
    const Matrix &matrix = *product.matrix;
    for (int row = from; row < to; row++) decode_int4_row(matrix, row, scratch + static_cast<long>(row - from) * matrix.columns);
    for (int t = 0; t < product.rows; t += kTileTokens) {
        const int count = product.rows - t < kTileTokens ? product.rows - t : kTileTokens;
        tiles<Float32>(product, from, to, scratch, Float32::kFactor, t, count);
    }
}

}  // namespace
}  // namespace moebius
