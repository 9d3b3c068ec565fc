// Repacking at load: 16 rows interleaved, so that packed_bf16.h and packed_f32.h read columns of 16 rows as vectors.
//
//   e4m3: 64 bytes are 16 rows x 4 columns; for bf16 dot products each quarter holds columns (c, c + 1) of four rows, then
//   columns (c + 2, c + 3).
//   bfloat16: 64 bytes are 16 rows x 2 columns. Rows and columns that fill up the last panel are zeros.
#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "engine.h"

namespace moebius {

namespace {

constexpr int kPiece = 8; // panels

// What becomes of the bytes of 16 rows.
enum class Form { kPairCodes, kCodes, kBrains };

// 16 rows of 16 bytes to four steps of 64 bytes; adds to nan the bytes that are no number where they are codes for shifting, which
// would make a number of them (packed_f32.h).
template <Form FORM>
inline void transpose(const unsigned char *const rows[16], long at, unsigned char *out, __m128i &nan) {
    const __m128i order = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    const __m128i magnitude = _mm_set1_epi8(0x7f);
    __m128i steps[4][4];
    for (int quarter = 0; quarter < 4; quarter++) {
        __m128i r[4];
        for (int i = 0; i < 4; i++) {
            r[i] = _mm_loadu_si128(reinterpret_cast<const __m128i *>(rows[quarter * 4 + i] + at));
            if (FORM == Form::kCodes) nan = _mm_or_si128(nan, _mm_cmpeq_epi8(_mm_and_si128(r[i], magnitude), magnitude));
        }
        const __m128i a = _mm_unpacklo_epi32(r[0], r[1]), b = _mm_unpackhi_epi32(r[0], r[1]);
        const __m128i c = _mm_unpacklo_epi32(r[2], r[3]), d = _mm_unpackhi_epi32(r[2], r[3]);
        steps[0][quarter] = _mm_unpacklo_epi64(a, c);
        steps[1][quarter] = _mm_unpackhi_epi64(a, c);
        steps[2][quarter] = _mm_unpacklo_epi64(b, d);
        steps[3][quarter] = _mm_unpackhi_epi64(b, d);
    }
    for (int step = 0; step < 4; step++)
        for (int quarter = 0; quarter < 4; quarter++) {
            const __m128i bytes = FORM == Form::kPairCodes ? _mm_shuffle_epi8(steps[step][quarter], order) : steps[step][quarter];
            _mm_stream_si128(reinterpret_cast<__m128i *>(out + 64 * step + 16 * quarter), bytes);
        }
}

// Returns whether a code is no number, where the form asks for that.
template <Form FORM>
bool pack_panel(const Matrix &matrix, int panel, const unsigned char *zeros, unsigned char *out) {
    constexpr int kBytes = FORM == Form::kBrains ? 2 : 1;
    const long row_bytes = static_cast<long>(matrix.columns) * kBytes, packed_bytes = matrix.packed_columns * kBytes;
    const unsigned char *rows[16];
    for (int i = 0; i < 16; i++) {
        const long row = panel * 16L + i;
        rows[i] = row < matrix.rows ? matrix.data + row * row_bytes : zeros;
    }
    __m128i nan = _mm_setzero_si128();
    long at = 0;
    for (; at + 16 <= row_bytes; at += 16) transpose<FORM>(rows, at, out + at * 16, nan);
    if (at < packed_bytes) {
        alignas(16) unsigned char tails[16][16] = {}, steps[256];
        for (int i = 0; i < 16; i++) {
            if (at < row_bytes) std::memcpy(tails[i], rows[i] + at, row_bytes - at);
            rows[i] = tails[i];
        }
        transpose<FORM>(rows, 0, steps, nan);
        std::memcpy(out + at * 16, steps, (packed_bytes - at) * 16);
    }
    return _mm_movemask_epi8(nan) != 0;
}

}  // namespace

void Engine::pack(Matrix &matrix) {
    const bool codes = matrix.type == MOEBIUS_E4M3;
    const int blocks = codes ? (matrix.columns + matrix.block_columns - 1) / matrix.block_columns : 1;
    if (!(codes || matrix.type == MOEBIUS_BF16) || matrix.rows < 16) return;
    if (blocks > 1 && matrix.block_columns % 4 != 0) return;
    const bool groups = matrix.activation == MOEBIUS_PER_GROUP && matrix.group < matrix.columns;
    if (groups && kernels.brain_inputs && matrix.group != matrix.block_columns) return;
    const int panels = (matrix.rows + 15) / 16;
    matrix.packed_columns = (matrix.columns + 3) / 4 * 4;
    const long panel_bytes = matrix.packed_columns * 16L * (codes ? 1 : 2);
    unsigned char *packed = weights.take(panels * panel_bytes);
    if (packed == nullptr) return;
    const std::vector<unsigned char> zeros(matrix.columns * static_cast<size_t>(codes ? 1 : 2));
    auto *pack_one = !codes ? pack_panel<Form::kBrains> : kernels.brain_inputs ? pack_panel<Form::kPairCodes> : pack_panel<Form::kCodes>;
    std::atomic<bool> nan{false};
    const int threads = pool.threads(), pieces = threads * ((panels + kPiece * threads - 1) / (kPiece * threads));
    pool.parallel(pieces, 1, [&](int first, int last, int) {
        for (int piece = first; piece < last; piece++) {
            // Each thread in a part of its own: two that touch one large page first would both clear it.
            const int begin = (piece % threads * (pieces / threads) + piece / threads) * kPiece, end = std::min(panels, begin + kPiece);
            for (int panel = begin; panel < end; panel++)
                if (pack_one(matrix, panel, zeros.data(), packed + panel * panel_bytes)) nan = true;
        }
        _mm_sfence();
    });
    if (nan) return weights.give_back(panels * panel_bytes);
    matrix.packed = packed;
    matrix.packed_blocks = blocks;
    matrix.packed_scales_memory.resize(static_cast<size_t>(panels) * blocks * 16, 1.0f);
    matrix.packed_scales = matrix.packed_scales_memory.data();
    for (long row = 0; codes && row < matrix.rows; row++)
        for (int block = 0; block < blocks; block++)
            matrix.packed_scales_memory[(row / 16 * blocks + block) * 16 + row % 16] =
                matrix.scales[row / matrix.block_rows * blocks + block];
}

}  // namespace moebius
