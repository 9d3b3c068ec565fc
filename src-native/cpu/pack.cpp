// Repacking at load: 16 rows interleaved, so that packed_bf16.h and packed_f32.h read columns of 16 rows as vectors.
//
//   e4m3: 64 bytes are 16 rows x 4 columns; for bf16 dot products each quarter holds columns (c, c + 1) of four rows, then
//   columns (c + 2, c + 3).
//   bfloat16: 64 bytes are 16 rows x 2 columns. Rows and columns that fill up the last panel are zeros.
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "engine.h"

namespace moebius {

namespace {

// Four rows of 16 bytes to four quarters of 64-byte steps.
template <bool ORDER>
void transpose(const unsigned char *const rows[4], long at, unsigned char *out) {
    __m128i r[4];
    for (int i = 0; i < 4; i++) r[i] = _mm_loadu_si128(reinterpret_cast<const __m128i *>(rows[i] + at));
    const __m128i a = _mm_unpacklo_epi32(r[0], r[1]), b = _mm_unpackhi_epi32(r[0], r[1]);
    const __m128i c = _mm_unpacklo_epi32(r[2], r[3]), d = _mm_unpackhi_epi32(r[2], r[3]);
    __m128i steps[4] = {_mm_unpacklo_epi64(a, c), _mm_unpackhi_epi64(a, c), _mm_unpacklo_epi64(b, d), _mm_unpackhi_epi64(b, d)};
    const __m128i order = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    for (int i = 0; i < 4; i++)
        _mm_storeu_si128(reinterpret_cast<__m128i *>(out + 64 * i), ORDER ? _mm_shuffle_epi8(steps[i], order) : steps[i]);
}

template <bool CODES, bool ORDER>
void pack_panel(const Matrix &matrix, int panel, unsigned char *out) {
    const long row_bytes = static_cast<long>(matrix.columns) * (CODES ? 1 : 2);
    const long packed_bytes = matrix.packed_columns * (CODES ? 1 : 2);
    alignas(16) unsigned char tails[4][16];
    static const unsigned char kZeros[16] = {};
    for (int quarter = 0; quarter < 4; quarter++) {
        const unsigned char *rows[4];
        int present = 0;
        for (int i = 0; i < 4; i++) {
            const long row = panel * 16L + quarter * 4 + i;
            rows[i] = row < matrix.rows ? matrix.data + row * row_bytes : nullptr;
            present += rows[i] != nullptr;
        }
        long at = 0;
        if (present == 4)
            for (; at + 16 <= row_bytes; at += 16) transpose<ORDER>(rows, at, out + at * 16 + quarter * 16);
        for (; at < packed_bytes; at += 16) {
            const unsigned char *parts[4];
            for (int i = 0; i < 4; i++) {
                std::memcpy(tails[i], kZeros, 16);
                if (rows[i] != nullptr && at < row_bytes) std::memcpy(tails[i], rows[i] + at, std::min(16L, row_bytes - at));
                parts[i] = tails[i];
            }
            alignas(16) unsigned char steps[256];
            transpose<ORDER>(parts, 0, steps + quarter * 16);
            for (long i = 0; i < 4 && at + 4 * i < packed_bytes; i++)
                std::memcpy(out + (at + 4 * i) * 16 + quarter * 16, steps + 64 * i + quarter * 16, 16);
        }
    }
}

// Shifting, packed_f32.h, would make a number of it.
bool has_nan(const Matrix &matrix) {
    const long count = static_cast<long>(matrix.rows) * matrix.columns;
    int found = 0;
    for (long i = 0; i < count; i++) found |= (matrix.data[i] & 0x7f) == 0x7f;
    return found != 0;
}

}  // namespace

void Engine::pack(Matrix &matrix) {
    const bool codes = matrix.type == MOEBIUS_E4M3;
    const int blocks = codes ? (matrix.columns + matrix.block_columns - 1) / matrix.block_columns : 1;
    if (!(codes || matrix.type == MOEBIUS_BF16) || matrix.rows < 16) return;
    if (blocks > 1 && matrix.block_columns % 4 != 0) return;
    const bool groups = matrix.activation == MOEBIUS_PER_GROUP && matrix.group < matrix.columns;
    if (groups && kernels.brain_inputs && matrix.group != matrix.block_columns) return;
    if (codes && !kernels.brain_inputs && has_nan(matrix)) return;
    const int panels = (matrix.rows + 15) / 16;
    matrix.packed_columns = (matrix.columns + 3) / 4 * 4;
    const long panel_bytes = matrix.packed_columns * 16L * (codes ? 1 : 2);
    matrix.packed_bytes = panels * panel_bytes;
    matrix.packed_blocks = blocks;
    matrix.packed = static_cast<unsigned char *>(allocate_huge(matrix.packed_bytes));
    if (matrix.packed == nullptr) return;
    matrix.packed_scales_memory.resize(static_cast<size_t>(panels) * blocks * 16, 1.0f);
    matrix.packed_scales = matrix.packed_scales_memory.data();
    for (long row = 0; codes && row < matrix.rows; row++)
        for (int block = 0; block < blocks; block++)
            matrix.packed_scales_memory[(row / 16 * blocks + block) * 16 + row % 16] =
                matrix.scales[row / matrix.block_rows * blocks + block];
    pool.parallel(panels, 8, [&](int begin, int end, int) {
        for (int panel = begin; panel < end; panel++) {
            unsigned char *out = matrix.packed + panel * panel_bytes;
            if (!codes)
                pack_panel<false, false>(matrix, panel, out);
            else if (kernels.brain_inputs)
                pack_panel<true, true>(matrix, panel, out);
            else
                pack_panel<true, false>(matrix, panel, out);
        }
    });
}

}  // namespace moebius
