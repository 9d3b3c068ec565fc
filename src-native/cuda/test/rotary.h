/* Rotary positions that nothing stretches: frequencies theta^(-i / pairs). */
#pragma once
#include <moebius_cuda.h>

#include <algorithm>
#include <cmath>

inline moebius_angles plain_angles(const int *positions, float *turns, double theta, int tokens, int pairs, int first = 0) {
    moebius_angles angles{positions, turns, 1, {}, tokens, pairs, first, 0};
    for (int i = first; i < std::min(pairs, first + MOEBIUS_ANGLE_PAIRS); i++) angles.frequencies[i - first] = std::pow(theta, -double(i) / pairs);
    return angles;
}
