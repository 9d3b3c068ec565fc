/* What the harness needs on the GPU beside the kernels: random weights, and the yardsticks: a read-only reduction, a copy, and products
   without memory. */
#include "helpers.h"

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
extern "C" __global__ void __launch_bounds__(512) helper_read_bytes(const __grid_constant__ helper_bytes p) {
    const uint4 *from = static_cast<const uint4 *>(p.from);
    std::int64_t step = std::int64_t(gridDim.x) * 512, i = std::int64_t(blockIdx.x) * 512 + threadIdx.x;
    unsigned mixed = 0;
    for (; i + 7 * step < p.count; i += 8 * step) {
        uint4 v[8];
#pragma unroll
        for (int j = 0; j < 8; j++) v[j] = from[i + j * step];
#pragma unroll
        for (int j = 0; j < 8; j++) mixed ^= v[j].x ^ v[j].y ^ v[j].z ^ v[j].w;
    }
    for (; i < p.count; i += step) mixed ^= from[i].x ^ from[i].y ^ from[i].z ^ from[i].w;
    if (mixed == 0x9e3779b9u) *static_cast<unsigned *>(p.to) = mixed; /* so that the loads are needed */
}

extern "C" __global__ void __launch_bounds__(512) helper_copy_bytes(const __grid_constant__ helper_bytes p) {
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

#if MOEBIUS_HOPPER
/* Two warpgroups a block, each 64 x 128 from shared memory. */
extern "C" __global__ void __launch_bounds__(256, 1) helper_multiply_e4m3(const __grid_constant__ helper_multiply p) {
    MOEBIUS_DYNAMIC_SHARED(shared);
    for (int i = threadIdx.x; i < 4 * 8192; i += 256) shared[i] = random_e4m3(7, i);
    proxy_fence();
    __syncthreads();
    std::uint64_t form = std::uint64_t(1) << 62 | std::uint64_t(1024 / 16) << 32;
    std::uint64_t a = form | (shared_address(shared) + threadIdx.x / 128 * 8192) >> 4, b = form | (shared_address(shared) + 16384) >> 4;
    float sum[64] = {};
    for (int round = 0; round < p.rounds; round++) {
        wgmma_fence();
#pragma unroll
        for (int step = 0; step < 4; step++) wgmma_e4m3<128>(sum, a + step * 2, b + step * 2, 1);
        wgmma_commit();
        wgmma_wait<1>();
    }
    wgmma_wait<0>();
    wgmma_results(sum);
    float total = 0;
#pragma unroll
    for (int i = 0; i < 64; i++) total += sum[i];
    if (total == 0.123f) *p.to = total;
}
#else
/* Eight warps a block, four independent sums each. */
extern "C" __global__ void __launch_bounds__(256) helper_multiply_e4m3(const __grid_constant__ helper_multiply p) {
#if __CUDA_ARCH__ >= 890 || !defined(__CUDACC__)
    unsigned a[4], b[2];
    for (int i = 0; i < 4; i++) a[i] = unsigned(random_bits(7, threadIdx.x * 4 + i)) & 0x3f3f3f3fu;
    for (int i = 0; i < 2; i++) b[i] = unsigned(random_bits(8, threadIdx.x * 2 + i)) & 0x3f3f3f3fu;
    float sum[4][4] = {};
    for (int round = 0; round < p.rounds; round++)
#pragma unroll
        for (int j = 0; j < 4; j++) mma_e4m3(sum[j], a, b);
    float total = 0;
    for (int j = 0; j < 4; j++) total += sum[j][0] + sum[j][1] + sum[j][2] + sum[j][3];
    if (total == 0.123f) *p.to = total;
#endif
}
#endif

extern "C" __global__ void __launch_bounds__(256) helper_multiply_bf16(const __grid_constant__ helper_multiply p) {
    unsigned a[4], b[2];
    for (int i = 0; i < 4; i++) a[i] = unsigned(random_bits(7, threadIdx.x * 4 + i)) & 0x3fff3fffu;
    for (int i = 0; i < 2; i++) b[i] = unsigned(random_bits(8, threadIdx.x * 2 + i)) & 0x3fff3fffu;
    float sum[4][4] = {};
    for (int round = 0; round < p.rounds; round++)
#pragma unroll
        for (int j = 0; j < 4; j++) mma_bf16(sum[j], a, b);
    float total = 0;
    for (int j = 0; j < 4; j++) total += sum[j][0] + sum[j][1] + sum[j][2] + sum[j][3];
    if (total == 0.123f) *p.to = total;
}
