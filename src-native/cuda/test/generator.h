/* Numbers from a seed, the same on every machine: SplitMix64 (Steele et al. 2014) by counter. Output i of seed s, all modulo 2^64:
     z = s + (i + 1) * 0x9e3779b97f4a7c15; z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9; z = (z ^ z >> 27) * 0x94d049bb133111eb; z ^ z >> 31
   unit: (its upper 24 bits - 2^23) / 2^23; code: with b the upper 24 bits, sign b & 128, magnitude (b & 127) * 96 / 128.
   GeneratorTest.java has the same, and both the same test vectors. */
#pragma once
#include "../layout.h"

/* Output i of the sequence of seed. */
MOEBIUS_BOTH inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t i) {
    std::uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}
/* In [-1, 1), a multiple of 2^-23. */
MOEBIUS_BOTH inline float random_unit(std::uint64_t seed, std::uint64_t i) {
    return static_cast<float>(static_cast<std::int64_t>(random_bits(seed, i) >> 40) - (1 << 23)) * 0x1p-23f;
}
/* An e4m3 code, never NaN, of magnitude below 32. */
MOEBIUS_BOTH inline std::uint8_t random_e4m3(std::uint64_t seed, std::uint64_t i) {
    std::uint64_t bits = random_bits(seed, i) >> 40;
    return static_cast<std::uint8_t>((bits & 0x80) | (bits & 0x7f) * 96 / 128);
}
