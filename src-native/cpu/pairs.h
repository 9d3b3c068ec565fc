// How pairs of columns come out of a packed matrix, as bfloat16: pack.h says how they lie there.
#pragma once
#include <immintrin.h>

#include <cstdint>

namespace moebius {
namespace {

// The bytes of e4m3 magnitudes as bfloat16.
struct BrainTable {
    alignas(64) uint8_t low[128], high[128];
    constexpr BrainTable() : low(), high() {
        for (int code = 0; code < 128; code++) {
            int exponent = code >> 3, mantissa = code & 7;
            if (exponent == 0) {
                exponent = 1;
                if (mantissa != 0) {
                    for (; mantissa < 8; mantissa *= 2) exponent--;
                    mantissa -= 8;
                }
            }
            int bits = code == 0 ? 0 : code == 127 ? 0x7fc0 : (exponent + 120) << 7 | mantissa << 4;
            low[code] = bits & 255;
            high[code] = bits >> 8;
        }
    }
};
constexpr BrainTable kBrain;

// How the pairs of columns (c, c + 1) and (c + 2, c + 3) of 16 rows are read; a step is four columns. kSums: vectors of sums that
// registers hold beside weights, inputs and, where codes are read, the tables.
struct Pairs {
    static constexpr int kSums = 24;
    static constexpr long kStepBytes = 128;
    void operator()(const uint8_t *p, __m512i &first, __m512i &second) const {
        first = _mm512_loadu_si512(p);
        second = _mm512_loadu_si512(p + 64);
    }
};

struct Codes {
    static constexpr int kSums = 16;
    static constexpr long kStepBytes = 64;
    __m512i low0 = _mm512_load_si512(kBrain.low), low1 = _mm512_load_si512(kBrain.low + 64);
    __m512i high0 = _mm512_load_si512(kBrain.high), high1 = _mm512_load_si512(kBrain.high + 64);
    void operator()(const uint8_t *p, __m512i &first, __m512i &second) const {
        const __m512i codes = _mm512_loadu_si512(p);
        const __m512i low = _mm512_permutex2var_epi8(low0, codes, low1);
        __m512i high = _mm512_permutex2var_epi8(high0, codes, high1);
        high = _mm512_ternarylogic_epi32(high, codes, _mm512_set1_epi8(static_cast<char>(0x80)), 0xf8);
        first = _mm512_unpacklo_epi8(low, high);
        second = _mm512_unpackhi_epi8(low, high);
    }
};

}  // namespace
}  // namespace moebius
