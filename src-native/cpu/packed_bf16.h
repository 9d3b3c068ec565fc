// Products with repacked weights, by dot products of bfloat16 pairs.
//
//   out[t, n] = sum over scale blocks b of scale[n, b] * sum over pairs p in b of w[n, p] . (hi[t, p] + lo[t, p])
//
// A panel holds 16 rows, interleaved so that a vector register has one pair of columns of each: no sums across lanes. Inputs are
// the sum of two bfloat16, good to 2^-17, so that weight-only products come near to float32; quantised inputs are codes that one
// bfloat16 holds, and their scales come in with those of the weights. E4m3 weights become bfloat16
// through two tables of 128 bytes: in registers for few tokens (bound by reading the weights), once per 64 rows into a scratch
// for many (bound by vdpbf16ps). An element is summed four columns at a time, high parts before low, however many tokens there are.
#pragma once
#include "kernels.h"
#include "moebius_cpu.h"
#include "pairs.h"

namespace moebius {
namespace {

inline __m512bh broadcast_pair(const uint32_t *p) { return reinterpret_cast<__m512bh>(_mm512_set1_epi32(static_cast<int>(*p))); }
inline __m512 dot_pairs(__m512 sum, __m512i w, __m512bh x) { return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(w), x); }

// PANELS panels of a matrix, the first of them `panel`, times tokens [t, t + TOKENS), each of WORDS words per pair of columns.
template <class Read, int WORDS, int PANELS, int TOKENS>
void packed_tile(const Product &product, int panel, const uint8_t *weights, long t) {
    const Matrix &matrix = *product.matrix;
    const long steps = matrix.packed_columns / 4;
    const long panel_bytes = steps * Read::kStepBytes;
    const int blocks = matrix.packed_blocks;
    const long block_steps = blocks == 1 ? steps : matrix.block_columns / 4;
    const long stride = matrix.packed_columns / 2 * WORDS;
    const uint32_t *x = product.words + t * stride;
    const Read read;
    __m512 totals[PANELS][TOKENS];
    for (int block = 0; block < blocks; block++) {
        __m512 sums[PANELS][TOKENS];
        for (auto &of_panel : sums)
            for (__m512 &sum : of_panel) sum = _mm512_setzero_ps();
        const long end = (block + 1) * block_steps < steps ? (block + 1) * block_steps : steps;
        for (long step = block * block_steps; step < end; step++) {
            __m512i first[PANELS], second[PANELS];
#pragma GCC unroll 8
            for (int r = 0; r < PANELS; r++) read(weights + r * panel_bytes + step * Read::kStepBytes, first[r], second[r]);
#pragma GCC unroll 8
            for (int i = 0; i < TOKENS; i++) {
                const uint32_t *p = x + i * stride + step * 2 * WORDS;
                const __m512bh high0 = broadcast_pair(p), high1 = broadcast_pair(p + WORDS);
#pragma GCC unroll 8
                for (int r = 0; r < PANELS; r++) sums[r][i] = dot_pairs(sums[r][i], first[r], high0);
#pragma GCC unroll 8
                for (int r = 0; r < PANELS; r++) sums[r][i] = dot_pairs(sums[r][i], second[r], high1);
                if constexpr (WORDS == 2) {
                    const __m512bh low0 = broadcast_pair(p + 1), low1 = broadcast_pair(p + 3);
#pragma GCC unroll 8
                    for (int r = 0; r < PANELS; r++) sums[r][i] = dot_pairs(sums[r][i], first[r], low0);
#pragma GCC unroll 8
                    for (int r = 0; r < PANELS; r++) sums[r][i] = dot_pairs(sums[r][i], second[r], low1);
                }
            }
        }
        for (int r = 0; r < PANELS; r++) {
            const __m512 scale = _mm512_loadu_ps(matrix.packed_scales + ((panel + r) * static_cast<long>(blocks) + block) * 16);
            for (int i = 0; i < TOKENS; i++) {
                const __m512 factor =
                    WORDS == 2 ? scale : _mm512_mul_ps(scale, _mm512_set1_ps(product.factors[(t + i) * blocks + block]));
                totals[r][i] = block == 0 ? _mm512_mul_ps(sums[r][i], factor) : _mm512_fmadd_ps(sums[r][i], factor, totals[r][i]);
            }
        }
    }
    for (int r = 0; r < PANELS; r++) {
        const int row = (panel + r) * 16, count = matrix.rows - row;
        const __mmask16 mask = count >= 16 ? 0xffff : (1u << count) - 1;
        for (int i = 0; i < TOKENS; i++) {
            float *out = product.out + (t + i) * matrix.rows + row;
            const __m512 before = product.add ? _mm512_maskz_loadu_ps(mask, out) : _mm512_setzero_ps();
            _mm512_mask_storeu_ps(out, mask, _mm512_add_ps(before, totals[r][i]));
        }
    }
}

template <class Read, int WORDS, int PANELS, int TOKENS>
void packed_tiles(const Product &product, int panel, const uint8_t *weights, long t, int count) {
    if (count == TOKENS) return packed_tile<Read, WORDS, PANELS, TOKENS>(product, panel, weights, t);
    if constexpr (TOKENS > 1) packed_tiles<Read, WORDS, PANELS, TOKENS - 1>(product, panel, weights, t, count);
}

template <class Read, int WORDS, int PANELS>
void packed_rows(const Product &product, int panel, int panels, const uint8_t *weights, long panel_bytes) {
    constexpr int kTokens = Read::kSums / PANELS;
    const int tiles = (product.rows + kTokens - 1) / kTokens;
    for (int tile = 0; tile < tiles; tile++) {
        const long t = static_cast<long>(product.rows) * tile / tiles;
        const int count = static_cast<long>(product.rows) * (tile + 1) / tiles - t;
        int r = 0;
        for (; r + PANELS <= panels; r += PANELS)
            packed_tiles<Read, WORDS, PANELS, kTokens>(product, panel + r, weights + r * panel_bytes, t, count);
        for (; r < panels; r++) packed_tiles<Read, WORDS, 1, kTokens>(product, panel + r, weights + r * panel_bytes, t, count);
    }
}

template <class Read, int WORDS>
void packed_rows(const Product &product, int tall, int panel, int panels, const uint8_t *weights, long panel_bytes) {
    switch (tall) {
        case 4: return packed_rows<Read, WORDS, 4>(product, panel, panels, weights, panel_bytes);
        case 2: return packed_rows<Read, WORDS, 2>(product, panel, panels, weights, panel_bytes);
        default: return packed_rows<Read, WORDS, 1>(product, panel, panels, weights, panel_bytes);
    }
}

template <int WORDS>
void multiply_packed_words(const Product &product, const uint8_t *weights, int from, int to, const Blocking &blocking, float *scratch) {
    const Matrix &matrix = *product.matrix;
    const int panel = from / kPackedRows;
    const int panels = (to - from + kPackedRows - 1) / kPackedRows;
    const long steps = matrix.packed_columns / 4;
    // Panels of a tile: beside codes the most that have sums for all tokens, of four and two.
    auto tall = [&](int usual) { return blocking.interleave > 0 ? blocking.interleave / kPackedRows : usual; };
    if (matrix.type == MOEBIUS_BF16)
        return packed_rows<Pairs, WORDS>(product, tall(4), panel, panels, weights, steps * Pairs::kStepBytes);
    if (product.rows <= blocking.direct)
        return packed_rows<Codes, WORDS>(product, tall(product.rows <= Codes::kSums / 4 ? 4 : 2), panel, panels, weights, steps * Codes::kStepBytes);
    const Codes read;
    uint8_t *pairs = reinterpret_cast<uint8_t *>(scratch);
    for (long step = 0; step < panels * steps; step++) {
        __m512i first, second;
        read(weights + step * Codes::kStepBytes, first, second);
        _mm512_storeu_si512(pairs + step * Pairs::kStepBytes, first);
        _mm512_storeu_si512(pairs + step * Pairs::kStepBytes + 64, second);
    }
    packed_rows<Pairs, WORDS>(product, tall(4), panel, panels, pairs, steps * Pairs::kStepBytes);
}

void multiply_packed(const Product &product, const uint8_t *panels, int from, int to, const Blocking &blocking, float *scratch) {
    product.factors == nullptr ? multiply_packed_words<2>(product, panels, from, to, blocking, scratch)
                               : multiply_packed_words<1>(product, panels, from, to, blocking, scratch);
}

// The float32 nearest to x that a bfloat16 can hold, ties to even.
inline __m512 brain(__m512 x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return _mm512_castsi512_ps(_mm512_and_si512(rounded, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
}

// Pairs of bfloat16: the high parts of columns (c, c + 1), then their low parts.
void input_row(const float *x, long columns, long packed_columns, uint32_t *out) {
    // Words of [high 16 | low 16] in the order h0 h1 l0 l1 of each pair.
    alignas(64) static const uint8_t kOrder[64] = {
        2, 3, 6, 7, 66, 67, 70, 71, 10, 11, 14, 15, 74, 75, 78, 79, 18, 19, 22, 23, 82, 83, 86, 87, 26, 27, 30, 31, 90, 91, 94, 95,
        34, 35, 38, 39, 98, 99, 102, 103, 42, 43, 46, 47, 106, 107, 110, 111, 50, 51, 54, 55, 114, 115, 118, 119, 58, 59, 62, 63, 122, 123, 126, 127};
    const __m512i order = _mm512_load_si512(kOrder);
    for (long c = 0; c < packed_columns; c += 16) {
        const long left = columns - c, room = packed_columns - c;
        const __mmask16 mask = left >= 16 ? 0xffff : left <= 0 ? 0 : (1u << left) - 1;
        const __m512 value = _mm512_maskz_loadu_ps(mask, x + c);
        const __m512 high = brain(value);
        const __m512 low = brain(_mm512_sub_ps(value, high));
        const __m512i words = _mm512_permutex2var_epi8(_mm512_castps_si512(high), order, _mm512_castps_si512(low));
        _mm512_mask_storeu_epi32(out + c, room >= 16 ? 0xffff : (1u << room) - 1, words);
    }
}

// Pairs of bfloat16.
void code_row(const float *x, long columns, long packed_columns, uint32_t *out) {
    for (long c = 0; c < packed_columns; c += 16) {
        const long left = columns - c, room = (packed_columns - c) / 2;
        const __mmask16 mask = left >= 16 ? 0xffff : left <= 0 ? 0 : (1u << left) - 1;
        const __m512i bits = _mm512_castps_si512(_mm512_maskz_loadu_ps(mask, x + c));
        const __m256i words = _mm512_cvtepi32_epi16(_mm512_srli_epi32(bits, 16));
        _mm256_mask_storeu_epi32(out + c / 2, room >= 8 ? 0xff : (1u << room) - 1, words);
    }
}

constexpr bool kBrainInputs = true;

}  // namespace
}  // namespace moebius
