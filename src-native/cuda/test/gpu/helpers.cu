/* What the harness needs on the GPU beside the kernels: random weights, and a copy as a yardstick. */
#include "helpers.h"

#include <moebius_cuda.h>
#include <ptx.h>

#include "../generator.h"

__device__ __forceinline__ std::uint16_t random_bf16_bits(std::uint64_t seed, std::uint64_t i, float scale) {
    return to_bf16_bits(scale * random_unit(seed, i));
}

extern "C" __global__ void __launch_bounds__(256) helper_fill_values(const __grid_constant__ helper_fill p) {
    for (std::int64_t i = std::int64_t(blockIdx.x) * 256 + threadIdx.x; i < p.count; i += std::int64_t(gridDim.x) * 256) {
        if (p.codes) static_cast<std::uint8_t *>(p.to)[i] = random_e4m3(p.seed, i);
        else static_cast<std::uint16_t *>(p.to)[i] = random_bf16_bits(p.seed, i, p.scale);
    }
}

/* 16 bytes a thread and load, 8 loads in flight. */
extern "C" __global__ void __launch_bounds__(512) helper_copy_bytes(const __grid_constant__ moebius_yardstick p) {
    const uint4 *from = static_cast<const uint4 *>(p.from);
    uint4 *to = static_cast<uint4 *>(p.to);
    std::int64_t step = std::int64_t(gridDim.x) * 512, i = std::int64_t(blockIdx.x) * 512 + threadIdx.x;
    for (; i + 7 * step < p.count; i += 8 * step) {
        uint4 v[8];
#pragma unroll
        for (int j = 0; j < 8; j++) v[j] = from[i + j * step];
#pragma unroll
        for (int j = 0; j < 8; j++) to[i + j * step] = v[j];
    }
    for (; i < p.count; i += step) to[i] = from[i];
}
