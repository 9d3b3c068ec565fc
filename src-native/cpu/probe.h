// The loops that roofline.cpp times: a sum that only reads, and multiply-adds that only compute.
#pragma once
#include "vector.h"

namespace moebius {
namespace {

// In four places at once, as the products read four panels: one place alone leaves a core waiting.
float sum_of(const float *p, long count) {
    constexpr int kPlaces = 4;
    const long part = count / kPlaces;
    Vector sums[kPlaces][2];
    for (auto &of_place : sums)
        for (Vector &sum : of_place) sum = zero();
    const Vector one = broadcast(1);
    for (long i = 0; i + 2 * kLanes <= part; i += 2 * kLanes)
        for (int place = 0; place < kPlaces; place++)
            for (int k = 0; k < 2; k++) sums[place][k] = multiply_add(load(p + place * part + i + k * kLanes), one, sums[place][k]);
    Vector total = zero();
    for (auto &of_place : sums)
        for (const Vector &sum : of_place) total = multiply_add(sum, one, total);
    return sum(total);
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

// Flops done; as many sums at once as the longest latency asks for. They have names of their own, for an array would live in memory
// and its stores would bound the loop.
double multiply_adds(long rounds) {
    constexpr int kSums = 12, kRepeats = 16;
    Vector s0 = zero(), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0, s8 = s0, s9 = s0, s10 = s0, s11 = s0;
    Factor a = factor();
    for (long i = 0; i < rounds; i += kRepeats) {
        for (int k = 0; k < kRepeats; k++) {
            s0 = accumulate(s0, a), s1 = accumulate(s1, a), s2 = accumulate(s2, a), s3 = accumulate(s3, a);
            s4 = accumulate(s4, a), s5 = accumulate(s5, a), s6 = accumulate(s6, a), s7 = accumulate(s7, a);
            s8 = accumulate(s8, a), s9 = accumulate(s9, a), s10 = accumulate(s10, a), s11 = accumulate(s11, a);
        }
        asm volatile("" : "+x"(s0), "+x"(s1), "+x"(s2), "+x"(s3), "+x"(s4), "+x"(s5), "+x"(s6), "+x"(s7), "+x"(s8), "+x"(s9), "+x"(s10), "+x"(s11), "+x"(a));
    }
    return static_cast<double>((rounds + kRepeats - 1) / kRepeats * kRepeats) * kSums * kLanes * kFlopsPerLane;
}

}  // namespace
}  // namespace moebius
