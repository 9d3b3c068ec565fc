// Exponentials of vectors.
#pragma once
#include "vector.h"

namespace moebius {
namespace {

#if defined(__AVX512F__)
inline Vector minimum(Vector a, Vector b) { return _mm512_min_ps(a, b); }
inline Vector maximum(Vector a, Vector b) { return _mm512_max_ps(a, b); }
inline Vector divide(Vector a, Vector b) { return _mm512_div_ps(a, b); }
inline Vector whole(Vector a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vector power_of_two(Vector n) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23));
}
#elif defined(__AVX2__)
inline Vector minimum(Vector a, Vector b) { return _mm256_min_ps(a, b); }
inline Vector maximum(Vector a, Vector b) { return _mm256_max_ps(a, b); }
inline Vector divide(Vector a, Vector b) { return _mm256_div_ps(a, b); }
inline Vector whole(Vector a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vector power_of_two(Vector n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23));
}
#else
inline Vector minimum(Vector a, Vector b) { return _mm_min_ps(a, b); }
inline Vector maximum(Vector a, Vector b) { return _mm_max_ps(a, b); }
inline Vector divide(Vector a, Vector b) { return _mm_div_ps(a, b); }
inline Vector whole(Vector a) { return _mm_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vector power_of_two(Vector n) {
    return _mm_castsi128_ps(_mm_slli_epi32(_mm_add_epi32(_mm_cvtps_epi32(n), _mm_set1_epi32(127)), 23));
}
#endif

#if defined(__AVX512F__)
inline bool any_greater(Vector a, Vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ) != 0; }
#elif defined(__AVX2__)
inline bool any_greater(Vector a, Vector b) { return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)) != 0; }
#else
inline bool any_greater(Vector a, Vector b) { return _mm_movemask_ps(_mm_cmpgt_ps(a, b)) != 0; }
#endif

inline Vector multiply(Vector a, Vector b) { return multiply_add(a, b, zero()); }

// e^x = 2^n e^r, |r| <= log(2) / 2, e^r by its Taylor polynomial of degree 7: good to 2e-7. Below -87 it is about 1e-38, NaN stays.
inline Vector exponential(Vector x) {
    // The bound first: minimum and maximum give their second operand where one is NaN.
    x = minimum(broadcast(88), maximum(broadcast(-87), x));
    const Vector n = whole(multiply(x, broadcast(1.44269504f)));
    Vector r = multiply_add(n, broadcast(-0.693359375f), x);
    r = multiply_add(n, broadcast(2.12194440e-4f), r);
    constexpr float kTerms[] = {1 / 720.0f, 1 / 120.0f, 1 / 24.0f, 1 / 6.0f, 0.5f, 1.0f, 1.0f};
    Vector p = broadcast(1 / 5040.0f);
    for (float c : kTerms) p = multiply_add(p, r, broadcast(c));
    return multiply(p, power_of_two(n));
}

// gate = gate / (1 + e^-gate) * up
void swiglu(float *gate, const float *up, long count) {
    const Vector one = broadcast(1);
    auto activate = [&](Vector g, Vector u) {
        return multiply(divide(g, multiply_add(one, one, exponential(multiply(g, broadcast(-1))))), u);
    };
    long i = 0;
    for (; i + kLanes <= count; i += kLanes) store(gate + i, activate(load(gate + i), load(up + i)));
    if (i < count)
        store_part(gate + i, activate(load_part<Float32>(gate + i, count - i), load_part<Float32>(up + i, count - i)), count - i);
}

}  // namespace
}  // namespace moebius
