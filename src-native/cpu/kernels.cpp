// Decoding of weights and products of vectors.
//
//   decode_row: out[c] = decode(code[row, c]) * scale[block of (row, c)]; reads each weight once, bound by memory.
//   dot:        sum a[i] b[i] in four vectors of partial sums, then the tail; bound by the first-level cache.
//
// Compiled once per instruction set with MOEBIUS_TABLE as the name of its table and MOEBIUS_BYTES the width of a vector.
#include "kernels.h"

#include <algorithm>
#include <cstring>

#include "moebius_cpu.h"
#ifdef __F16C__
#include <immintrin.h>
#endif

namespace moebius {
namespace {

typedef float Vector __attribute__((vector_size(MOEBIUS_BYTES), aligned(4)));
constexpr int kLanes = MOEBIUS_BYTES / sizeof(float);

Vector load(const float *from) { return *reinterpret_cast<const Vector *>(from); }

float from_half(unsigned short half) {
    unsigned sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31, mantissa = half & 0x3ff;
    float value;
    if (exponent == 0) {
        value = mantissa * 0x1p-24f;
        return sign ? -value : value;
    }
    unsigned bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | mantissa << 13;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

// An e4m3 code with its exponent widened is a half that is 2^8 too small; 0x7f and 0xff are NaN.
unsigned short half_of_e4m3(unsigned char code) {
    unsigned short sign = (code & 0x80) << 8, rest = code & 0x7f;
    return rest == 0x7f ? 0x7e00 : sign | rest << 7;
}

float from_e4m3(unsigned char code) { return from_half(half_of_e4m3(code)) * 256.0f; }

void decode_e4m3(const unsigned char *codes, float scale, int count, float *out) {
    int i = 0;
#if defined(__AVX512F__)
    const __m512 factor = _mm512_set1_ps(256.0f), scales = _mm512_set1_ps(scale);
    for (; i + 16 <= count; i += 16) {
        __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i *>(codes + i)));
        __m256i rest = _mm256_and_si256(wide, _mm256_set1_epi16(0x7f));
        __m256i nan = _mm256_and_si256(_mm256_cmpeq_epi16(rest, _mm256_set1_epi16(0x7f)), _mm256_set1_epi16(0x7e00));
        __m256i sign = _mm256_slli_epi16(_mm256_and_si256(wide, _mm256_set1_epi16(0x80)), 8);
        __m256i half = _mm256_or_si256(_mm256_or_si256(sign, _mm256_slli_epi16(rest, 7)), nan);
        _mm512_storeu_ps(out + i, _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtph_ps(half), factor), scales));
    }
#elif defined(__F16C__)
    const __m256 factor = _mm256_set1_ps(256.0f), scales = _mm256_set1_ps(scale);
    for (; i + 8 <= count; i += 8) {
        __m128i wide = _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(codes + i)));
        __m128i rest = _mm_and_si128(wide, _mm_set1_epi16(0x7f));
        __m128i nan = _mm_and_si128(_mm_cmpeq_epi16(rest, _mm_set1_epi16(0x7f)), _mm_set1_epi16(0x7e00));
        __m128i sign = _mm_slli_epi16(_mm_and_si128(wide, _mm_set1_epi16(0x80)), 8);
        __m128i half = _mm_or_si128(_mm_or_si128(sign, _mm_slli_epi16(rest, 7)), nan);
        _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtph_ps(half), factor), scales));
    }
#endif
    for (; i < count; i++) out[i] = from_e4m3(codes[i]) * scale;
}

void decode_row(const Matrix &matrix, int row, float *out) {
    const long columns = matrix.columns;
    switch (matrix.type) {
        case MOEBIUS_F32: std::memcpy(out, matrix.data + row * columns * 4, columns * 4); break;
        case MOEBIUS_BF16: {
            const auto *from = reinterpret_cast<const unsigned short *>(matrix.data) + row * columns;
            for (long c = 0; c < columns; c++) {
                unsigned bits = static_cast<unsigned>(from[c]) << 16;
                std::memcpy(out + c, &bits, sizeof bits);
            }
            break;
        }
        case MOEBIUS_F16: {
            const auto *from = reinterpret_cast<const unsigned short *>(matrix.data) + row * columns;
            for (long c = 0; c < columns; c++) out[c] = from_half(from[c]);
            break;
        }
        default: {
            const unsigned char *codes = matrix.data + row * columns;
            const int blocks = (matrix.columns + matrix.block_columns - 1) / matrix.block_columns;
            const float *scales = matrix.scales.data() + static_cast<long>(row / matrix.block_rows) * blocks;
            for (int b = 0; b < blocks; b++) {
                int begin = b * matrix.block_columns, end = std::min(begin + matrix.block_columns, matrix.columns);
                decode_e4m3(codes + begin, scales[b], end - begin, out + begin);
            }
        }
    }
}

float dot(const float *a, const float *b, int count) {
    Vector sums[4] = {};
    int i = 0;
    for (; i + 4 * kLanes <= count; i += 4 * kLanes)
        for (int j = 0; j < 4; j++) sums[j] += load(a + i + j * kLanes) * load(b + i + j * kLanes);
    for (; i + kLanes <= count; i += kLanes) sums[0] += load(a + i) * load(b + i);
    Vector all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    float sum = 0;
    for (int lane = 0; lane < kLanes; lane++) sum += all[lane];
    for (; i < count; i++) sum += a[i] * b[i];
    return sum;
}

void add_scaled(float *y, float factor, const float *x, int count) {
    for (int i = 0; i < count; i++) y[i] += factor * x[i];
}

}  // namespace

extern const Kernels MOEBIUS_TABLE = {decode_row, dot, add_scaled};

}  // namespace moebius
