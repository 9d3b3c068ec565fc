/* Vectors of the generator's numbers. */
#pragma once
#include <vector>

#include "generator.h"
#include "number_formats.h"

inline std::vector<std::uint16_t> random_bf16(std::size_t count, std::uint64_t seed) {
    std::vector<std::uint16_t> values(count);
    for (std::size_t i = 0; i < count; i++) values[i] = encode_bf16(random_unit(seed, i));
    return values;
}
inline std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; i++) values[i] = random_unit(seed, i);
    return values;
}
