#include "pack.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "moebius_cpu.h"

namespace moebius {

namespace {

long code_bytes(const Matrix &matrix) { return matrix.type == MOEBIUS_E4M3 ? 1 : 2; }

// 16 rows of 16 bytes to four steps of 64 bytes; of codes adds to nan the bytes that are no number.
template <Form FORM, Store STORE>
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
            auto *to = reinterpret_cast<__m128i *>(out + 64 * step + 16 * quarter);
            STORE == Store::kStreamed ? _mm_stream_si128(to, bytes) : _mm_store_si128(to, bytes);
        }
}

// Of rows with codes that are no numbers. Several threads may pack a panel: each writes the same, and reads it after itself.
void mark_nan(const Matrix &matrix, int panel) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (int i = 0; i < kPackedRows && panel * kPackedRows + i < matrix.rows; i++) {
        const unsigned char *codes = matrix.data + (panel * static_cast<long>(kPackedRows) + i) * matrix.columns;
        float *scales = matrix.packed_scales + panel * static_cast<long>(matrix.packed_blocks) * kPackedRows + i;
        for (int c = 0; c < matrix.columns; c++)
            if ((codes[c] & 0x7f) == 0x7f) __atomic_store(scales + c / matrix.block_columns * kPackedRows, &nan, __ATOMIC_RELAXED);
    }
}

template <Form FORM, Store STORE>
void pack_panel(const Matrix &matrix, int panel, unsigned char *out) {
    const long row_bytes = matrix.columns * code_bytes(matrix), packed_bytes = matrix.packed_columns * code_bytes(matrix);
    const unsigned char *rows[kPackedRows];
    for (int i = 0; i < kPackedRows; i++)
        rows[i] = matrix.data + std::min<long>(panel * static_cast<long>(kPackedRows) + i, matrix.rows - 1) * row_bytes;
    __m128i nan = _mm_setzero_si128();
    long at = 0;
    for (; at + 16 <= row_bytes; at += 16) transpose<FORM, STORE>(rows, at, out + at * 16, nan);
    if (at < packed_bytes) {
        alignas(16) unsigned char tails[kPackedRows][16] = {}, steps[256];
        for (int i = 0; i < kPackedRows; i++) {
            if (at < row_bytes) std::memcpy(tails[i], rows[i] + at, row_bytes - at);
            rows[i] = tails[i];
        }
        transpose<FORM, Store::kCached>(rows, 0, steps, nan);
        std::memcpy(out + at * 16, steps, (packed_bytes - at) * 16);
    }
    if (_mm_movemask_epi8(nan) != 0) mark_nan(matrix, panel);
}

}  // namespace

long data_bytes(const Matrix &matrix) {
    const long columns = matrix.columns;
    switch (matrix.type) {
        case MOEBIUS_INT4: return matrix.rows * ((columns + kInt4Group - 1) / kInt4Group * kInt4Group / 2);
        case MOEBIUS_F32: return matrix.rows * columns * 4;
        default: return matrix.rows * columns * code_bytes(matrix);
    }
}

long panel_bytes(const Matrix &matrix) { return matrix.packed_columns * kPackedRows * code_bytes(matrix); }

Form best_form(const Matrix &matrix, bool brain_inputs) {
    const bool codes = matrix.type == MOEBIUS_E4M3;
    if (!(codes || matrix.type == MOEBIUS_BF16) || matrix.rows < kPackedRows) return Form::kPlain;
    if (codes && matrix.block_columns < matrix.columns && matrix.block_columns % 4 != 0) return Form::kPlain;
    const bool groups = matrix.activation == MOEBIUS_PER_GROUP && matrix.group < matrix.columns;
    if (groups && brain_inputs && matrix.group != matrix.block_columns) return Form::kPlain;
    return !codes ? Form::kBrains : brain_inputs ? Form::kPairCodes : Form::kCodes;
}

void lay_out(Matrix &matrix, Form form) {
    const bool codes = matrix.type == MOEBIUS_E4M3;
    const int blocks = codes ? (matrix.columns + matrix.block_columns - 1) / matrix.block_columns : 1;
    matrix.form = form;
    matrix.packed_columns = (matrix.columns + 3) / 4 * 4;
    matrix.packed_blocks = blocks;
    matrix.packed_scales_memory.resize(static_cast<size_t>(panels_of(matrix)) * blocks * kPackedRows, 1.0f);
    matrix.packed_scales = matrix.packed_scales_memory.data();
    for (long row = 0; codes && row < matrix.rows; row++)
        for (int block = 0; block < blocks; block++)
            matrix.packed_scales_memory[(row / kPackedRows * blocks + block) * kPackedRows + row % kPackedRows] =
                matrix.scales[row / matrix.block_rows * blocks + block];
}

template <Store STORE>
void pack_panels(const Matrix &matrix, int first, int last, unsigned char *out) {
    auto *pack_one = matrix.form == Form::kPairCodes ? pack_panel<Form::kPairCodes, STORE>
                     : matrix.form == Form::kCodes ? pack_panel<Form::kCodes, STORE>
                                                   : pack_panel<Form::kBrains, STORE>;
    for (int panel = first; panel < last; panel++, out += panel_bytes(matrix)) pack_one(matrix, panel, out);
    if (STORE == Store::kStreamed) _mm_sfence();
}

template void pack_panels<Store::kCached>(const Matrix &, int, int, unsigned char *);
template void pack_panels<Store::kStreamed>(const Matrix &, int, int, unsigned char *);

}  // namespace moebius
