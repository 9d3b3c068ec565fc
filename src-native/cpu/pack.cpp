#include "pack.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "moebius_cpu.h"

namespace moebius {

namespace {

long code_bytes(const Matrix &matrix) { return matrix.type == MOEBIUS_E4M3 ? 1 : 2; }

// 16 rows of 16 bytes to four steps of 64 bytes.
template <bool PAIRS, Store STORE>
inline void transpose(const unsigned char *const rows[16], long at, unsigned char *out) {
    const __m128i order = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
    __m128i steps[4][4];
    for (int quarter = 0; quarter < 4; quarter++) {
        __m128i r[4];
        for (int i = 0; i < 4; i++) r[i] = _mm_loadu_si128(reinterpret_cast<const __m128i *>(rows[quarter * 4 + i] + at));
        const __m128i a = _mm_unpacklo_epi32(r[0], r[1]), b = _mm_unpackhi_epi32(r[0], r[1]);
        const __m128i c = _mm_unpacklo_epi32(r[2], r[3]), d = _mm_unpackhi_epi32(r[2], r[3]);
        steps[0][quarter] = _mm_unpacklo_epi64(a, c);
        steps[1][quarter] = _mm_unpackhi_epi64(a, c);
        steps[2][quarter] = _mm_unpacklo_epi64(b, d);
        steps[3][quarter] = _mm_unpackhi_epi64(b, d);
    }
    for (int step = 0; step < 4; step++)
        for (int quarter = 0; quarter < 4; quarter++) {
            const __m128i bytes = PAIRS ? _mm_shuffle_epi8(steps[step][quarter], order) : steps[step][quarter];
            auto *to = reinterpret_cast<__m128i *>(out + 64 * step + 16 * quarter);
            STORE == Store::kStreamed ? _mm_stream_si128(to, bytes) : _mm_store_si128(to, bytes);
        }
}

template <bool PAIRS, Store STORE>
void pack_panel(const Matrix &matrix, int panel, const unsigned char *zeros, unsigned char *out) {
    const long row_bytes = matrix.columns * code_bytes(matrix), packed_bytes = matrix.packed_columns * code_bytes(matrix);
    const unsigned char *rows[kPackedRows];
    for (int i = 0; i < kPackedRows; i++) {
        const long row = panel * static_cast<long>(kPackedRows) + i;
        rows[i] = row < matrix.rows ? matrix.data + row * row_bytes : zeros;
    }
    long at = 0;
    for (; at + 16 <= row_bytes; at += 16) transpose<PAIRS, STORE>(rows, at, out + at * 16);
    if (at < packed_bytes) {
        alignas(16) unsigned char tails[kPackedRows][16] = {}, steps[256];
        for (int i = 0; i < kPackedRows; i++) {
            if (at < row_bytes) std::memcpy(tails[i], rows[i] + at, row_bytes - at);
            rows[i] = tails[i];
        }
        transpose<PAIRS, Store::kCached>(rows, 0, steps);
        std::memcpy(out + at * 16, steps, (packed_bytes - at) * 16);
    }
}

}  // namespace

long panel_bytes(const Matrix &matrix) { return matrix.packed_columns * kPackedRows * code_bytes(matrix); }

Form best_form(const Matrix &matrix, bool brain_inputs) {
    const bool codes = matrix.type == MOEBIUS_E4M3;
    if (!(codes || matrix.type == MOEBIUS_BF16) || matrix.rows < kPackedRows) return Form::kPlain;
    if (codes && matrix.block_columns < matrix.columns && matrix.block_columns % 4 != 0) return Form::kPlain;
    const bool groups = matrix.activation == MOEBIUS_PER_GROUP && matrix.group < matrix.columns;
    if (groups && brain_inputs && matrix.group != matrix.block_columns) return Form::kPlain;
    return !codes ? Form::kBrains : brain_inputs ? Form::kPairCodes : Form::kCodes;
}

bool has_nan(const Matrix &matrix, int from, int to) {
    const __m128i magnitude = _mm_set1_epi8(0x7f);
    const unsigned char *code = matrix.data + from * static_cast<long>(matrix.columns), *end = matrix.data + to * static_cast<long>(matrix.columns);
    __m128i nan = _mm_setzero_si128();
    for (; code + 16 <= end; code += 16) {
        const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(code));
        nan = _mm_or_si128(nan, _mm_cmpeq_epi8(_mm_and_si128(codes, magnitude), magnitude));
    }
    return _mm_movemask_epi8(nan) != 0 || std::any_of(code, end, [](unsigned char last) { return (last & 0x7f) == 0x7f; });
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
    const std::vector<unsigned char> zeros(last * kPackedRows > matrix.rows ? matrix.columns * code_bytes(matrix) : 0);
    auto *pack_one = matrix.form == Form::kPairCodes ? pack_panel<true, STORE> : pack_panel<false, STORE>;
    for (int panel = first; panel < last; panel++, out += panel_bytes(matrix)) pack_one(matrix, panel, zeros.data(), out);
    if (STORE == Store::kStreamed) _mm_sfence();
}

template void pack_panels<Store::kCached>(const Matrix &, int, int, unsigned char *);
template void pack_panels<Store::kStreamed>(const Matrix &, int, int, unsigned char *);

}  // namespace moebius
