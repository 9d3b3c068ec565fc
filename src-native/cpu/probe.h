// The loops that roofline.cpp times: a sum that only reads, and multiply-adds that only compute.
#pragma once
#include "vector.h"

namespace moebius {
namespace {

float sum_of(const float *p, long count) {
    Vector sums[8];
    for (Vector &sum : sums) sum = zero();
    const Vector one = broadcast(1);
    for (long i = 0; i + 8 * kLanes <= count; i += 8 * kLanes)
        for (int k = 0; k < 8; k++) sums[k] = multiply_add(load(p + i + k * kLanes), one, sums[k]);
    for (int k = 1; k < 8; k++) sums[0] = multiply_add(sums[k], one, sums[0]);
    return sum(sums[0]);
}

#if defined(__AVX512BF16__)
using Factor = __m512bh;
constexpr int kFlopsPerLane = 4;
inline Factor factor() { return _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.25f)); }
inline Vector accumulate(Vector sum, Factor a) { return _mm512_dpbf16_ps(sum, a, a); }
#else
using Factor = Vector;
constexpr int kFlopsPerLane = 2;
inline Factor factor() { return broadcast(0.5f); }
inline Vector accumulate(Vector sum, Factor a) { return multiply_add(a, a, sum); }
#endif

// Flops done; as many sums at once as the longest latency asks for.
double multiply_adds(long rounds) {
    constexpr int kSums = 12;
    Vector sums[kSums];
    for (Vector &sum : sums) sum = zero();
    Factor a = factor();
    for (long i = 0; i < rounds; i++) {
        for (Vector &sum : sums) sum = accumulate(sum, a);
        asm volatile("" : "+x"(sums[0]), "+x"(sums[1]), "+x"(sums[2]), "+x"(sums[3]), "+x"(sums[4]), "+x"(sums[5]), "+x"(a));
    }
    volatile float sink = 0;
    for (Vector &s : sums) sink = sum(s);
    (void)sink;
    return static_cast<double>(rounds) * kSums * kLanes * kFlopsPerLane;
}

}  // namespace
}  // namespace moebius
