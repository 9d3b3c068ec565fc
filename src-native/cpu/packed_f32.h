// Products with repacked weights by multiply-adds of float32, for processors without dot products of bfloat16.
//
//   out[t, n] = sum over scale blocks b of scale[n, b] * sum over k in b of w[n, k] * x[t, k]
//
// A step is 64 bytes: 16 rows of four e4m3 or two bfloat16 columns. In place, the bits of an e4m3 number are a float32 that is 2^120
// too small, subnormal numbers among them; inputs come 2^60 larger, and the scale makes up for the rest. Few tokens decode in
// registers, bound by decoding and reading the weights; many decode a panel once into a scratch, bound by multiply-adds. An element is
// summed column by column, however many tokens there are.
#pragma once
#include "kernels.h"
#include "vector.h"

namespace moebius {
namespace {

constexpr int kPanelVectors = 16 / kLanes;
constexpr float kInputGain = 0x1p60f;

// Vectors of sums that registers hold beside weights and inputs; decoding on the way takes registers, too. Beyond the tokens that
// taller tiles have sums for, a tile has kManyPanels unless a variant says otherwise.

#if defined(__AVX512F__)
using Bits = __m512i;
inline Bits load_bits(const uint8_t *p) { return _mm512_loadu_si512(p); }
inline Bits shift_right_4(Bits v) { return _mm512_srai_epi32(v, 4); }
inline Vector masked(Bits v, uint32_t mask) { return _mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32(static_cast<int>(mask)))); }
constexpr int kMostSums = 24, kDecodingSums = 16, kManyPanels = 2;
#elif defined(__AVX2__)
using Bits = __m256i;
inline Bits load_bits(const uint8_t *p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p)); }
inline Bits shift_right_4(Bits v) { return _mm256_srai_epi32(v, 4); }
inline Vector masked(Bits v, uint32_t mask) { return _mm256_castsi256_ps(_mm256_and_si256(v, _mm256_set1_epi32(static_cast<int>(mask)))); }
constexpr int kMostSums = 12, kDecodingSums = 10, kManyPanels = 1;
#else
using Bits = __m128i;
inline Bits load_bits(const uint8_t *p) { return _mm_loadu_si128(reinterpret_cast<const __m128i *>(p)); }
inline Bits shift_right_4(Bits v) { return _mm_srai_epi32(v, 4); }
inline Vector masked(Bits v, uint32_t mask) { return _mm_castsi128_ps(_mm_and_si128(v, _mm_set1_epi32(static_cast<int>(mask)))); }
constexpr int kMostSums = 8, kDecodingSums = 8, kManyPanels = 1;
#endif

// How one column of kLanes rows comes out of a step: kStepBytes bytes of each panel, kColumns columns. A load that begins some bytes
// earlier has the column on top of each word: cheaper than a shift, and no register has to keep the step for its other columns.
struct Codes {
    static constexpr int kColumns = 4, kSums = kDecodingSums;
    static constexpr long kStepBytes = 64;
    static constexpr float kFactor = 0x1p60f;
    template <int COLUMN>
    static Vector column(const uint8_t *p) {
        return masked(shift_right_4(load_bits(p - 3 + COLUMN)), 0x87f00000u);
    }
};
struct Brains {
    static constexpr int kColumns = 2, kSums = kDecodingSums;
    static constexpr long kStepBytes = 64;
    static constexpr float kFactor = 0x1p-60f;
    template <int COLUMN>
    static Vector column(const uint8_t *p) {
        return masked(load_bits(p - 2 + 2 * COLUMN), 0xffff0000u);
    }
};
struct Floats {
    static constexpr int kColumns = 1, kSums = kMostSums;
    static constexpr long kStepBytes = 64;
    template <int COLUMN>
    static Vector column(const uint8_t *p) {
        return load(reinterpret_cast<const float *>(p));
    }
};

// Keeps the fewer of weights and inputs in registers beside the sums.
template <class Read, int PANELS, int TOKENS, int COLUMN>
inline void add_column(Vector (&sums)[PANELS][kPanelVectors][TOKENS], const uint8_t *weights, long panel_bytes, const float *x, long stride) {
    auto weight = [&](int r, int v) { return Read::template column<COLUMN>(weights + r * panel_bytes + v * kLanes * 4); };
    if constexpr (TOKENS < PANELS * kPanelVectors) {
        Vector input[TOKENS];
#pragma GCC unroll 16
        for (int i = 0; i < TOKENS; i++) input[i] = broadcast(x[i * stride + COLUMN]);
#pragma GCC unroll 8
        for (int r = 0; r < PANELS; r++)
#pragma GCC unroll 8
            for (int v = 0; v < kPanelVectors; v++) {
                const Vector w = weight(r, v);
#pragma GCC unroll 16
                for (int i = 0; i < TOKENS; i++) sums[r][v][i] = multiply_add(w, input[i], sums[r][v][i]);
            }
    } else {
        Vector w[PANELS][kPanelVectors];
#pragma GCC unroll 8
        for (int r = 0; r < PANELS; r++)
#pragma GCC unroll 8
            for (int v = 0; v < kPanelVectors; v++) w[r][v] = weight(r, v);
#pragma GCC unroll 16
        for (int i = 0; i < TOKENS; i++) {
            const Vector input = broadcast(x[i * stride + COLUMN]);
#pragma GCC unroll 8
            for (int r = 0; r < PANELS; r++)
#pragma GCC unroll 8
                for (int v = 0; v < kPanelVectors; v++) sums[r][v][i] = multiply_add(w[r][v], input, sums[r][v][i]);
        }
    }
}

// PANELS panels, the first of them `panel`, times tokens [t, t + TOKENS).
template <class Read, int PANELS, int TOKENS>
void packed_tile(const Product &product, int panel, const uint8_t *weights, long panel_bytes, float gain, long t) {
    const Matrix &matrix = *product.matrix;
    const long columns = matrix.packed_columns;
    const int blocks = matrix.packed_blocks;
    const float *x = reinterpret_cast<const float *>(product.words) + t * columns;
    alignas(64) float totals[PANELS][TOKENS][16];
    for (int block = 0; block < blocks; block++) {
        Vector sums[PANELS][kPanelVectors][TOKENS];
        for (auto &of_panel : sums)
            for (auto &of_vector : of_panel)
                for (Vector &sum : of_vector) sum = zero();
        const long begin = static_cast<long>(block) * matrix.block_columns;
        const long end = blocks == 1 || begin + matrix.block_columns > columns ? columns : begin + matrix.block_columns;
        const uint8_t *p = weights + begin / Read::kColumns * Read::kStepBytes;
        for (long c = begin; c < end; c += Read::kColumns, p += Read::kStepBytes) {
            add_column<Read, PANELS, TOKENS, 0>(sums, p, panel_bytes, x + c, columns);
            if constexpr (Read::kColumns > 1) add_column<Read, PANELS, TOKENS, 1>(sums, p, panel_bytes, x + c, columns);
            if constexpr (Read::kColumns > 2) {
                add_column<Read, PANELS, TOKENS, 2>(sums, p, panel_bytes, x + c, columns);
                add_column<Read, PANELS, TOKENS, 3>(sums, p, panel_bytes, x + c, columns);
            }
        }
        for (int r = 0; r < PANELS; r++) {
            const float *scales = matrix.packed_scales + ((panel + r) * static_cast<long>(blocks) + block) * 16;
            for (int v = 0; v < kPanelVectors; v++) {
                const Vector scale = multiply_add(load(scales + v * kLanes), broadcast(gain), zero());
                for (int i = 0; i < TOKENS; i++) {
                    float *total = totals[r][i] + v * kLanes;
                    store(total, multiply_add(sums[r][v][i], scale, block == 0 ? zero() : load(total)));
                }
            }
        }
    }
    for (int r = 0; r < PANELS; r++) {
        const int row = (panel + r) * 16, count = matrix.rows - row < 16 ? matrix.rows - row : 16;
        for (int i = 0; i < TOKENS; i++) {
            float *out = product.out + (t + i) * matrix.rows + row;
            for (int n = 0; n < count; n++) out[n] = product.add ? out[n] + totals[r][i][n] : totals[r][i][n];
        }
    }
}

template <class Read, int PANELS, int TOKENS>
void packed_tiles(const Product &product, int panel, const uint8_t *weights, long panel_bytes, float gain, long t, int count) {
    if (count == TOKENS) return packed_tile<Read, PANELS, TOKENS>(product, panel, weights, panel_bytes, gain, t);
    if constexpr (TOKENS > 1) packed_tiles<Read, PANELS, TOKENS - 1>(product, panel, weights, panel_bytes, gain, t, count);
}

// Tokens of a tile of so many panels; 0 where one token is too many.
template <class Read>
constexpr int tokens_beside(int panels) { return Read::kSums / (panels * kPanelVectors); }

template <class Read, int PANELS>
void packed_rows(const Product &product, int panel, int panels, const uint8_t *weights, long panel_bytes, float gain) {
    constexpr int kTokens = tokens_beside<Read>(PANELS) > 0 ? tokens_beside<Read>(PANELS) : 1;
    const int tiles = (product.rows + kTokens - 1) / kTokens;
    for (int tile = 0; tile < tiles; tile++) {
        const long t = static_cast<long>(product.rows) * tile / tiles;
        const int count = static_cast<long>(product.rows) * (tile + 1) / tiles - t;
        int r = 0;
        for (; r + PANELS <= panels; r += PANELS)
            packed_tiles<Read, PANELS, kTokens>(product, panel + r, weights + r * panel_bytes, panel_bytes, gain, t, count);
        for (; r < panels; r++)
            packed_tiles<Read, 1, kTokens>(product, panel + r, weights + r * panel_bytes, panel_bytes, gain, t, count);
    }
}

template <class Read>
void packed_rows(const Product &product, int tall, int panel, int panels, const uint8_t *weights, long panel_bytes, float gain) {
    switch (tall) {
        case 4: return packed_rows<Read, 4>(product, panel, panels, weights, panel_bytes, gain);
        case 2: return packed_rows<Read, 2>(product, panel, panels, weights, panel_bytes, gain);
        default: return packed_rows<Read, 1>(product, panel, panels, weights, panel_bytes, gain);
    }
}

// Panels of a tile unless a variant says otherwise: the most that have sums for all tokens.
template <class Read>
int usual_panels(int tokens) {
    return tokens <= tokens_beside<Read>(4) ? 4 : tokens <= tokens_beside<Read>(2) ? 2 : kManyPanels;
}

template <class Read>
void decode_panel(const uint8_t *weights, long steps, float *out) {
    for (long step = 0; step < steps; step++, out += 16 * Read::kColumns) {
        for (int v = 0; v < kPanelVectors; v++) {
            const uint8_t *p = weights + step * Read::kStepBytes + v * kLanes * 4;
            store(out + v * kLanes, Read::template column<0>(p));
            store(out + 16 + v * kLanes, Read::template column<1>(p));
            if constexpr (Read::kColumns > 2) {
                store(out + 32 + v * kLanes, Read::template column<2>(p));
                store(out + 48 + v * kLanes, Read::template column<3>(p));
            }
        }
    }
}

template <class Read>
void multiply_packed_as(const Product &product, const uint8_t *weights, int from, int to, const Blocking &blocking, float *scratch) {
    const Matrix &matrix = *product.matrix;
    const int first = from / kPackedRows, asked = blocking.interleave / kPackedRows;
    const int panels = (to - from + kPackedRows - 1) / kPackedRows;
    const long steps = matrix.packed_columns / Read::kColumns, bytes = steps * Read::kStepBytes;
    if (product.rows <= blocking.direct)
        return packed_rows<Read>(product, asked > 0 ? asked : usual_panels<Read>(product.rows), first, panels, weights, bytes, Read::kFactor);
    const int tall = asked > 0 ? asked : kManyPanels;
    const long decoded = matrix.packed_columns * 16;
    for (int begin = 0; begin < panels; begin += tall) {
        const int count = panels - begin < tall ? panels - begin : tall;
        for (int r = 0; r < count; r++) decode_panel<Read>(weights + (begin + r) * bytes, steps, scratch + r * decoded);
        packed_rows<Floats>(product, tall, first + begin, count, reinterpret_cast<const uint8_t *>(scratch), decoded * 4, Read::kFactor);
    }
}

void multiply_packed(const Product &product, const uint8_t *panels, int from, int to, const Blocking &blocking, float *scratch) {
    product.matrix->type == MOEBIUS_E4M3 ? multiply_packed_as<Codes>(product, panels, from, to, blocking, scratch)
                                         : multiply_packed_as<Brains>(product, panels, from, to, blocking, scratch);
}

void input_row(const float *x, long columns, long packed_columns, uint32_t *out) {
    float *gained = reinterpret_cast<float *>(out);
    for (long c = 0; c < columns; c++) gained[c] = x[c] * kInputGain;
    for (long c = columns; c < packed_columns; c++) gained[c] = 0;
}

void code_row(const float *, long, long, uint32_t *) {}

constexpr bool kBrainInputs = false;

}  // namespace
}  // namespace moebius
