// Rounding to OCP FP8 E4M3FN.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace moebius {

// The nearest value that e4m3 can hold, ties to even, saturated at 448: a float of 1.5 * 2^23 steps has no room for less than
// a step, so that adding it rounds.
inline float round_e4m3(float x) {
    const float clamped = x > 448 ? 448 : x < -448 ? -448 : x;
    uint32_t bits;
    std::memcpy(&bits, &clamped, sizeof bits);
    const uint32_t exponent = std::max(bits >> 23 & 255, 127u - 6);
    bits = (exponent - 3 + 23) << 23 | 1u << 22;
    float steps;
    std::memcpy(&steps, &bits, sizeof bits);
    return (clamped + steps) - steps;
}

// The code of the nearest value; NaN stays NaN.
inline uint8_t encode_e4m3(float x) {
    const float rounded = round_e4m3(x);
    uint32_t bits;
    std::memcpy(&bits, &rounded, sizeof bits);
    const uint8_t sign = bits >> 24 & 0x80;
    if (rounded != rounded) return sign | 0x7f;
    const int exponent = static_cast<int>(bits >> 23 & 255) - 127 + 7;
    if (exponent < 1) return sign | static_cast<uint8_t>(std::fabs(rounded) * 512.0f);
    return sign | static_cast<uint8_t>(exponent << 3 | (bits >> 20 & 7));
}

}  // namespace moebius
