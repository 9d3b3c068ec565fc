// Products with weights in the format of their checkpoint.
//
//   out[t, n] = sum over scale blocks b of scale[n, b] * sum over k in b of x[t, k] * code[n, k]
//
// An element is always summed in the same order: lane by lane through a block, block by block, then over the lanes, however
// many rows x has. Few rows decode the weights in registers, bound by memory; many decode a panel once, bound by arithmetic.
#pragma once
#include <cstring>

#include "kernels.h"
#include "moebius_cpu.h"
#include "vector.h"

namespace moebius {
namespace {

constexpr int kTileRows = 4;

// The scales of one row of a matrix, each for `width` columns.
struct RowScales {
    const float *values;
    int width;
};

RowScales row_scales(const Matrix &matrix, int row) {
    static const float kOne = 1;
    if (matrix.type != MOEBIUS_E4M3) return {&kOne, matrix.columns};
    const long blocks = (matrix.columns + matrix.block_columns - 1) / matrix.block_columns;
    return {matrix.scales.data() + row / matrix.block_rows * blocks, matrix.block_columns};
}

// Rows [row, row + ROWS) of the matrix, whose elements begin at codes, times rows [t, t + TOKENS) of x.
template <class Type, int ROWS, int TOKENS>
void tile(const Product &product, int row, const typename Type::Element *codes, float factor, long t) {
    const long columns = product.matrix->columns;
    const float *x = product.x + t * columns;
    RowScales scales[ROWS];
    for (int r = 0; r < ROWS; r++) scales[r] = row_scales(*product.matrix, row + r);
    Vector totals[ROWS][TOKENS];
    for (auto &of_row : totals)
        for (Vector &total : of_row) total = zero();
    for (long begin = 0, block = 0; begin < columns; begin += scales[0].width, block++) {
        const long end = columns - begin < scales[0].width ? columns : begin + scales[0].width;
        Vector sums[ROWS][TOKENS];
        for (auto &of_row : sums)
            for (Vector &sum : of_row) sum = zero();
        long c = begin;
        for (; c + kLanes <= end; c += kLanes) {
            Vector w[ROWS];
            for (int r = 0; r < ROWS; r++) w[r] = Type::load(codes + r * columns + c);
            for (int i = 0; i < TOKENS; i++) {
                const Vector input = load(x + i * columns + c);
                for (int r = 0; r < ROWS; r++) sums[r][i] = multiply_add(w[r], input, sums[r][i]);
            }
        }
        if (c < end) {
            Vector w[ROWS];
            for (int r = 0; r < ROWS; r++) w[r] = load_part<Type>(codes + r * columns + c, end - c);
            for (int i = 0; i < TOKENS; i++) {
                const Vector input = load_part<Float32>(x + i * columns + c, end - c);
                for (int r = 0; r < ROWS; r++) sums[r][i] = multiply_add(w[r], input, sums[r][i]);
            }
        }
        for (int r = 0; r < ROWS; r++) {
            const Vector scale = broadcast(scales[r].values[block] * factor);
            for (int i = 0; i < TOKENS; i++) totals[r][i] = multiply_add(sums[r][i], scale, totals[r][i]);
        }
    }
    for (int i = 0; i < TOKENS; i++) {
        float *out = product.out + (t + i) * product.matrix->rows + row;
        for (int r = 0; r < ROWS; r++) out[r] = product.add ? out[r] + sum(totals[r][i]) : sum(totals[r][i]);
    }
}

template <class Type, int ROWS>
void tile_of(const Product &product, int row, const typename Type::Element *codes, float factor, long t, int count) {
    if (count == kTileTokens) return tile<Type, ROWS, kTileTokens>(product, row, codes, factor, t);
    for (int i = 0; i < count; i++) tile<Type, ROWS, 1>(product, row, codes, factor, t + i);
}

// Rows [from, to) of the matrix times `count` rows of x, at most a tile.
template <class Type>
void tiles(const Product &product, int from, int to, const typename Type::Element *codes, float factor, long t, int count) {
    const long columns = product.matrix->columns;
    int row = from;
    for (; row + kTileRows <= to; row += kTileRows)
        tile_of<Type, kTileRows>(product, row, codes + (row - from) * columns, factor, t, count);
    for (; row < to; row++) tile_of<Type, 1>(product, row, codes + (row - from) * columns, factor, t, count);
}

template <class Type>
void decode(const typename Type::Element *codes, long count, float *out) {
    long i = 0;
    for (; i + kLanes <= count; i += kLanes) store(out + i, Type::load(codes + i));
    if (i < count) store_part(out + i, load_part<Type>(codes + i, count - i), count - i);
}

template <class Type>
void multiply(const Product &product, int from, int to, int direct, float *scratch) {
    const Matrix &matrix = *product.matrix;
    const auto *codes = reinterpret_cast<const typename Type::Element *>(matrix.data) + static_cast<long>(from) * matrix.columns;
    if (product.rows <= direct) {
        for (int t = 0; t < product.rows; t += kTileTokens) {
            const int count = product.rows - t < kTileTokens ? product.rows - t : kTileTokens;
            tiles<Type>(product, from, to, codes, Type::kFactor, t, count);
        }
        return;
    }
    decode<Type>(codes, static_cast<long>(to - from) * matrix.columns, scratch);
    for (int t = 0; t < product.rows; t += kTileTokens) {
        const int count = product.rows - t < kTileTokens ? product.rows - t : kTileTokens;
        tiles<Float32>(product, from, to, scratch, Type::kFactor, t, count);
    }
}

template <class Type>
void decode_row(const Matrix &matrix, int row, float *out) {
    const long columns = matrix.columns;
    decode<Type>(reinterpret_cast<const typename Type::Element *>(matrix.data) + row * columns, columns, out);
    if (matrix.type != MOEBIUS_E4M3) return;
    const RowScales scales = row_scales(matrix, row);
    for (long c = 0; c < columns; c++) out[c] *= scales.values[c / scales.width] * Type::kFactor;
}

}  // namespace
}  // namespace moebius
