// The instructions of AVX-512, AVX512_VBMI and AVX512_BF16 that pairs.h and packed_bf16.h use, acted out on any machine: included
// before them, it puts itself in the place of the compiler's intrinsics.
#pragma once
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstring>

namespace moebius::emulated512 {

template <class To, class From>
To bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

template <class Element>
struct Lanes {
    Element at[64 / sizeof(Element)];
};

// Element i of the result is of(i).
template <class Vector, class Element, class Of>
Vector make(const Of &of) {
    Lanes<Element> lanes;
    for (int i = 0; i < static_cast<int>(64 / sizeof(Element)); i++) lanes.at[i] = of(i);
    return bits<Vector>(lanes);
}

using Bytes = Lanes<uint8_t>;
using Words = Lanes<uint32_t>;
using Floats = Lanes<float>;

inline __m512i load(const void *p) { __m512i v; std::memcpy(&v, p, 64); return v; }
inline void store(void *p, __m512i v) { std::memcpy(p, &v, 64); }
inline __m512 load_floats(const void *p) { return bits<__m512>(load(p)); }
inline __m512i words(__m512 v) { return bits<__m512i>(v); }
inline __m512 floats(__m512i v) { return bits<__m512>(v); }
inline __m512i all_bytes(char x) { return make<__m512i, uint8_t>([&](int) { return static_cast<uint8_t>(x); }); }
inline __m512i all_words(int x) { return make<__m512i, uint32_t>([&](int) { return static_cast<uint32_t>(x); }); }
inline __m512 all_floats(float x) { return make<__m512, float>([&](int) { return x; }); }
inline __m512 zeros() { return all_floats(0); }

inline __m512i add_words(__m512i a, __m512i b) {
    return make<__m512i, uint32_t>([x = bits<Words>(a), y = bits<Words>(b)](int i) { return x.at[i] + y.at[i]; });
}
inline __m512i both(__m512i a, __m512i b) {
    return make<__m512i, uint32_t>([x = bits<Words>(a), y = bits<Words>(b)](int i) { return x.at[i] & y.at[i]; });
}
inline __m512i shift_right(__m512i a, unsigned by) {
    return make<__m512i, uint32_t>([x = bits<Words>(a), by](int i) { return x.at[i] >> by; });
}
// Of the tables of truth there are, the one that is used: a | (b & c).
inline __m512i ternary(__m512i a, __m512i b, __m512i c, int table) {
    if (table != 0xf8) __builtin_trap();
    return make<__m512i, uint32_t>([x = bits<Words>(a), y = bits<Words>(both(b, c))](int i) { return x.at[i] | y.at[i]; });
}
inline __m512 add(__m512 a, __m512 b) {
    return make<__m512, float>([x = bits<Floats>(a), y = bits<Floats>(b)](int i) { return x.at[i] + y.at[i]; });
}
inline __m512 subtract(__m512 a, __m512 b) {
    return make<__m512, float>([x = bits<Floats>(a), y = bits<Floats>(b)](int i) { return x.at[i] - y.at[i]; });
}
inline __m512 multiply(__m512 a, __m512 b) {
    return make<__m512, float>([x = bits<Floats>(a), y = bits<Floats>(b)](int i) { return x.at[i] * y.at[i]; });
}
inline __m512 multiply_add(__m512 a, __m512 b, __m512 c) {
    return make<__m512, float>([x = bits<Floats>(a), y = bits<Floats>(b), z = bits<Floats>(c)](int i) { return std::fma(x.at[i], y.at[i], z.at[i]); });
}

// Bytes of a, then of b, by the low seven bits of each index.
inline __m512i look_up(__m512i a, __m512i index, __m512i b) {
    return make<__m512i, uint8_t>([x = bits<Bytes>(a), y = bits<Bytes>(b), at = bits<Bytes>(index)](int i) {
        const int from = at.at[i] & 127;
        return from < 64 ? x.at[from] : y.at[from - 64];
    });
}
// Bytes of a and b in turn, of the lower or upper halves of each 16.
template <int HALF>
__m512i interleave(__m512i a, __m512i b) {
    return make<__m512i, uint8_t>([x = bits<Bytes>(a), y = bits<Bytes>(b)](int i) {
        const int from = i / 16 * 16 + 8 * HALF + i % 16 / 2;
        return i % 2 == 0 ? x.at[from] : y.at[from];
    });
}
inline __m256i low_halves(__m512i a) {
    uint16_t out[16];
    for (int i = 0; i < 16; i++) out[i] = static_cast<uint16_t>(bits<Words>(a).at[i]);
    __m256i v;
    std::memcpy(&v, out, sizeof v);
    return v;
}

inline __m512 masked_load(unsigned mask, const float *p) {
    return make<__m512, float>([&](int i) { return mask >> i & 1 ? p[i] : 0.0f; });
}
template <int COUNT>
void masked_store(void *p, unsigned mask, const void *words) {
    for (int i = 0; i < COUNT; i++)
        if (mask >> i & 1) std::memcpy(static_cast<char *>(p) + 4 * i, static_cast<const char *>(words) + 4 * i, 4);
}
inline void masked_store_words(void *p, unsigned mask, __m512i v) { masked_store<16>(p, mask, &v); }
inline void masked_store_floats(void *p, unsigned mask, __m512 v) { masked_store<16>(p, mask, &v); }
inline void masked_store_half(void *p, unsigned mask, __m256i v) { masked_store<8>(p, mask, &v); }

// As VDPBF16PS: the odd elements' product first, subnormals as zeros.
inline __m512 dot(__m512 sum, __m512bh a, __m512bh b) {
    auto flushed = [](float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; };
    auto brain = [&](uint32_t pair, int half) { return flushed(bits<float>(half ? pair & 0xffff0000 : pair << 16)); };
    return make<__m512, float>([&, s = bits<Floats>(sum), x = bits<Words>(a), y = bits<Words>(b)](int i) {
        const float odd = flushed(std::fma(brain(x.at[i], 1), brain(y.at[i], 1), flushed(s.at[i])));
        return flushed(std::fma(brain(x.at[i], 0), brain(y.at[i], 0), odd));
    });
}

}  // namespace moebius::emulated512

#undef _mm512_srli_epi32
#undef _mm512_ternarylogic_epi32
#define _mm256_mask_storeu_epi32 emulated512::masked_store_half
#define _mm512_add_epi32 emulated512::add_words
#define _mm512_add_ps emulated512::add
#define _mm512_and_si512 emulated512::both
#define _mm512_castps_si512 emulated512::words
#define _mm512_castsi512_ps emulated512::floats
#define _mm512_cvtepi32_epi16 emulated512::low_halves
#define _mm512_dpbf16_ps emulated512::dot
#define _mm512_fmadd_ps emulated512::multiply_add
#define _mm512_load_si512 emulated512::load
#define _mm512_loadu_ps emulated512::load_floats
#define _mm512_loadu_si512 emulated512::load
#define _mm512_mask_storeu_epi32 emulated512::masked_store_words
#define _mm512_mask_storeu_ps emulated512::masked_store_floats
#define _mm512_maskz_loadu_ps emulated512::masked_load
#define _mm512_mul_ps emulated512::multiply
#define _mm512_permutex2var_epi8 emulated512::look_up
#define _mm512_set1_epi32 emulated512::all_words
#define _mm512_set1_epi8 emulated512::all_bytes
#define _mm512_set1_ps emulated512::all_floats
#define _mm512_setzero_ps emulated512::zeros
#define _mm512_srli_epi32 emulated512::shift_right
#define _mm512_storeu_si512 emulated512::store
#define _mm512_sub_ps emulated512::subtract
#define _mm512_ternarylogic_epi32 emulated512::ternary
#define _mm512_unpackhi_epi8 emulated512::interleave<1>
#define _mm512_unpacklo_epi8 emulated512::interleave<0>
