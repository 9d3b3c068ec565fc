// The loops whose speed depends on the instruction set; each set compiles kernels.cpp once.
#pragma once
#include <cstdint>

#include "pack.h"

namespace moebius {

// out [rows, matrix rows] = x * transpose(matrix), added to out if add.
struct Product {
    const Matrix *matrix;
    const float *x;
    int rows;
    float *out;
    bool add;
    // Whether it is multiplied as tiles.h says.
    bool tiles = false;
    // For a matrix in panels: x as input_row or code_row makes it, tiles.h's where tiles, and, of codes, their factors [rows][packed_blocks].
    const uint32_t *words = nullptr;
    const float *factors = nullptr;
};

// How products are shared out, as moebius_cpu.h says.
struct Blocking {
    int threads;
    int panel;
    int direct;
    int interleave;
};

// The query heads of some tokens over `run` key/value heads from kv_head on: attention.h. The tokens follow each other in a sequence.
constexpr int kAttentionScratch = 34;
constexpr int kAttentionTokens = 8;

struct AttentionTask {
    const float *query;  // [tokens][run][group][head_dim], a token's `stride` after the one before
    const void *keys;    // of the layer
    const void *values;
    int type;          // of keys and values
    const int *table;  // block of positions 16 i to 16 i + 15
    int window;        // positions that a token sees at most; 0: all
    int length;        // positions up to the first token
    int tokens;
    long stride;
    int kv_head;
    int run;
    int kv_heads;
    int head_dim;
    int group;
    float score_scale;
    float value_scale;
    float *scratch;  // [tokens][run][group][kAttentionScratch]
    float *out;      // as query
};

struct Kernels {
    // The columns of a product that rows [from, to) of its matrix give; scratch holds (to - from) * columns floats.
    void (*multiply)(const Product &product, int from, int to, int direct, float *scratch);
    // The same for a matrix in panels, of which `panels` are those from `from`, a multiple of 16, on; scratch holds
    // max(32, interleave, (to - from) / 2) * packed_columns floats.
    void (*multiply_packed)(const Product &product, const unsigned char *panels, int from, int to, const Blocking &blocking, float *scratch);
    // A row of x for them, packed_columns words.
    void (*input_row)(const float *x, long columns, long packed_columns, uint32_t *out);
    // The same for values of e4m3 where brain_inputs, half as many words.
    void (*code_row)(const float *x, long columns, long packed_columns, uint32_t *out);
    // Whether inputs become bfloat16, which decides the form of weights.
    bool brain_inputs;
    // out [columns] = row of the matrix, dequantised.
    void (*decode_row)(const Matrix &matrix, int row, float *out);
    // y += factor * x.
    void (*add_scaled)(float *y, float factor, const float *x, int count);
    void (*attend)(const AttentionTask &task);
    // gate = silu(gate) * up.
    void (*swiglu)(float *gate, const float *up, long count);
    // The sum of count floats, a multiple of 128.
    float (*sum)(const float *p, long count);
    // Multiplies and adds in registers; returns the flops done.
    double (*multiply_adds)(long rounds);
};

extern const Kernels kernels_avx512bf16, kernels_avx512, kernels_avx2, kernels_baseline;

}  // namespace moebius
