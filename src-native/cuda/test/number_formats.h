/* bf16 and e4m3 (OCP FP8, Micikevicius et al. 2022) by their definitions. */
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

inline double decode_bf16(std::uint16_t code) {
    std::uint32_t bits = std::uint32_t(code) << 16;
    float v;
    std::memcpy(&v, &bits, 4);
    return v;
}
inline std::uint16_t encode_bf16(double value) {
    float v = float(value);
    std::uint32_t bits;
    std::memcpy(&bits, &v, 4);
    return std::uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline double decode_e4m3(std::uint8_t code) {
    int exponent = code >> 3 & 15, mantissa = code & 7;
    double v = exponent == 15 && mantissa == 7 ? NAN : exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(1 + mantissa / 8.0, exponent - 7);
    return code & 0x80 ? -v : v;
}
/* The nearest value, ties to even, saturated at 448. */
inline double round_e4m3(double v) {
    double c = std::clamp(v, -448.0, 448.0);
    int exponent = c == 0 ? -6 : std::max(std::ilogb(c), -6);
    double step = std::ldexp(1, exponent - 3);
    return std::nearbyint(c / step) * step;
}
