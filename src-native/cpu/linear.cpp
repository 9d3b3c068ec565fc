// Embedding, RMSNorm and linear layers.
//
//   project: out[t, n] = sum over k of x[t, k] * w[n, k]; x [T, K], w [N, K] in its checkpoint's format, out [T, N].
//   gemm.h says how.
#include <cmath>
#include <cstring>

#include "engine.h"

using namespace moebius;

void moebius_embed(void *engine, const void *table, const int *tokens, int count, float *out) {
    const Matrix &matrix = matrix_of(table);
    for (int t = 0; t < count; t++)
        engine_of(engine).kernels.decode_row(matrix, tokens[t], out + static_cast<long>(t) * matrix.columns);
}

void moebius_rms_norm(void *engine, const float *x, const void *weight, double epsilon, int rows, float *out) {
    const Matrix &matrix = matrix_of(weight);
    const long columns = matrix.columns;
    std::vector<float> factors(columns);
    engine_of(engine).kernels.decode_row(matrix, 0, factors.data());
    engine_of(engine).pool.parallel(rows, 8, [&](int begin, int end, int) {
        for (long t = begin; t < end; t++) {
            const float *from = x + t * columns;
            double squares = 0;
            for (long c = 0; c < columns; c++) squares += static_cast<double>(from[c]) * from[c];
            const double root = std::sqrt(squares / columns + epsilon);
            for (long c = 0; c < columns; c++) out[t * columns + c] = static_cast<float>(from[c] / root) * factors[c];
        }
    });
}

void moebius_project(void *engine, const float *x, const void *matrix, const unsigned char *prompt, int rows, float *out, int add,
                     int threads, int panel, int direct, int interleave) {
    Engine &e = engine_of(engine);
    const Matrix &w = matrix_of(matrix);
    auto tiles = [&](int row) { return prompt != nullptr && prompt[row] && e.tiled(w); };
    std::vector<Product> products;
    for (int begin = 0, end; begin < rows; begin = end) {
        for (end = begin + 1; end < rows && tiles(end) == tiles(begin);) end++;
        products.push_back({&w, x + static_cast<long>(begin) * w.columns, end - begin, out + static_cast<long>(begin) * w.rows, add != 0, tiles(begin)});
    }
    e.multiply(products, {threads, panel, direct, interleave});
}

void moebius_add_bias(void *engine, float *x, const void *bias, int rows) {
    const Matrix &matrix = matrix_of(bias);
    const long columns = matrix.columns;
    std::vector<float> terms(columns);
    engine_of(engine).kernels.decode_row(matrix, 0, terms.data());
    for (long t = 0; t < rows; t++)
        for (long c = 0; c < columns; c++) x[t * columns + c] += terms[c];
}

void moebius_swiglu(void *engine, float *gate, const float *up, int rows, int columns) {
    engine_of(engine).pool.parallel(rows, 1, [&](int begin, int end, int) {
        const long offset = static_cast<long>(begin) * columns;
        engine_of(engine).kernels.swiglu(gate + offset, up + offset, static_cast<long>(end - begin) * columns);
    });
}

void moebius_gather(const float *x, const int *rows, int count, int columns, float *out) {
    for (long i = 0; i < count; i++)
        std::memcpy(out + i * columns, x + static_cast<long>(rows[i]) * columns, columns * sizeof(float));
}

void moebius_read(const float *from, int count, float *to) { std::memcpy(to, from, count * sizeof(float)); }
