// A vector of floats in the instruction set of this compilation, and the decoding of every element type into it.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

namespace moebius {
namespace {

#if defined(__AVX512F__)

using Vector = __m512;
constexpr int kLanes = 16;
constexpr int kTileTokens = 4;
inline Vector zero() { return _mm512_setzero_ps(); }
inline Vector broadcast(float x) { return _mm512_set1_ps(x); }
inline Vector load(const float *p) { return _mm512_loadu_ps(p); }
inline void store(float *p, Vector v) { _mm512_storeu_ps(p, v); }
inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
inline Vector load_half(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p)); }
inline Vector load_brain(const uint16_t *p) {
    __m512i bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}
inline Vector load_e4m3(const uint8_t *p) {
    __m256i h = _mm256_slli_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)p)), 7);
    const __m256i nan = _mm256_set1_epi16(0x3f80);
    __m256i is_nan = _mm256_cmpeq_epi16(_mm256_and_si256(h, nan), nan);
    h = _mm256_and_si256(h, _mm256_set1_epi16((short)0xbfff));
    return _mm512_cvtph_ps(_mm256_or_si256(h, is_nan));
}

#elif defined(__AVX2__)

using Vector = __m256;
constexpr int kLanes = 8;
constexpr int kTileTokens = 2;
inline Vector zero() { return _mm256_setzero_ps(); }
inline Vector broadcast(float x) { return _mm256_set1_ps(x); }
inline Vector load(const float *p) { return _mm256_loadu_ps(p); }
inline void store(float *p, Vector v) { _mm256_storeu_ps(p, v); }
inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
inline Vector load_half(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p)); }
inline Vector load_brain(const uint16_t *p) {
    __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
}
inline Vector load_e4m3(const uint8_t *p) {
    __m128i h = _mm_slli_epi16(_mm_cvtepi8_epi16(_mm_loadl_epi64((const __m128i*)p)), 7);
    const __m128i nan = _mm_set1_epi16(0x3f80);
    __m128i is_nan = _mm_cmpeq_epi16(_mm_and_si128(h, nan), nan);
    h = _mm_and_si128(h, _mm_set1_epi16((short)0xbfff));
    return _mm256_cvtph_ps(_mm_or_si128(h, is_nan));
}

#else

using Vector = __m128;
constexpr int kLanes = 4;
constexpr int kTileTokens = 2;
inline Vector zero() { return _mm_setzero_ps(); }
inline Vector broadcast(float x) { return _mm_set1_ps(x); }
inline Vector load(const float *p) { return _mm_loadu_ps(p); }
inline void store(float *p, Vector v) { _mm_storeu_ps(p, v); }
inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
inline float half(uint16_t code) {
    uint32_t bits = (uint32_t)(code & 0x7fff) << 13;
    float x;
    memcpy(&x, &bits, 4);
    x *= 0x1p112f;
    memcpy(&bits, &x, 4);
    bits |= ((code & 0x7c00) == 0x7c00 ? 0x7f800000u : 0) | (uint32_t)(code & 0x8000) << 16;
    memcpy(&x, &bits, 4);
    return x;
}
inline Vector load_half(const uint16_t *p) { return _mm_setr_ps(half(p[0]), half(p[1]), half(p[2]), half(p[3])); }
inline Vector load_brain(const uint16_t *p) {
    __m128i bits = _mm_cvtepu16_epi32(_mm_loadl_epi64((const __m128i*)p));
    return _mm_castsi128_ps(_mm_slli_epi32(bits, 16));
}
/// Every e4m3 value divided by 256.
struct E4m3Table {
    float values[256];
    constexpr E4m3Table() : values() {
        for (int code = 0; code < 256; code++) {
            int exponent = code >> 3 & 15;
            float x = (exponent == 0 ? 0 : 8) + (code & 7);
            for (int i = exponent == 0 ? 1 : exponent; i < 18; i++) x /= 2;
            x = exponent == 15 && (code & 7) == 7 ? __builtin_nanf("") : x;
            values[code] = code < 128 ? x : -x;
        }
    }
};
constexpr E4m3Table kE4m3;
inline Vector load_e4m3(const uint8_t *p) {
    return _mm_setr_ps(kE4m3.values[p[0]], kE4m3.values[p[1]], kE4m3.values[p[2]], kE4m3.values[p[3]]);
}

#endif

inline float sum(Vector v) {
    float lanes[kLanes];
    store(lanes, v);
    for (int width = kLanes / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    }
    return lanes[0];
}

inline float first(Vector v) {
    float lanes[kLanes];
    store(lanes, v);
    return lanes[0];
}

// An element type: how a vector of it loads, and the power of two that its decoding leaves out.

struct Float32 {
    using Element = float;
    static constexpr float kFactor = 1;
    static Vector load(const float *p) { return ::moebius::load(p); }
};
struct Float16 {
    using Element = uint16_t;
    static constexpr float kFactor = 1;
    static Vector load(const uint16_t *p) { return load_half(p); }
};
struct BFloat16 {
    using Element = uint16_t;
    static constexpr float kFactor = 1;
    static Vector load(const uint16_t *p) { return load_brain(p); }
};
/// Decoded through float16, whose exponent bias is 8 larger.
struct Float8 {
    using Element = uint8_t;
    static constexpr float kFactor = 256;
    static Vector load(const uint8_t *p) { return load_e4m3(p); }
};

/// The first count (< kLanes) elements, zeros after them; never reads beyond them.
template <class Type>
inline Vector load_part(const typename Type::Element *p, int count) {
    typename Type::Element padded[kLanes] = {};
    memcpy(padded, p, count * sizeof(padded[0]));
    return Type::load(padded);
}

inline void store_part(float *p, Vector v, int count) {
    float lanes[kLanes];
    store(lanes, v);
    memcpy(p, lanes, count * sizeof(float));
}

}  // namespace
}  // namespace moebius
