/* What the device does at most, to hold the other kernels against: a read-only reduction over memory, and independent products without
   memory (wgmma and mma of e4m3 and of bf16). Layout: moebius_cuda.h; operands are codes of no meaning, none of them NaN.
   Bound: themselves. Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>

#include "reduce.h"

/* 16 bytes a thread and load, 8 loads in flight. */
extern "C" __global__ void __launch_bounds__(512) moebius_read_bytes(const __grid_constant__ moebius_yardstick p) {
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

__device__ __forceinline__ unsigned scattered(unsigned i) { return i * 0x9e3779b1u ^ i * 0x85ebca6bu >> 15; }

#if MOEBIUS_HOPPER
/* Two warpgroups a block, each 64 x 128, four products a round; multiply gets the operands' place in shared memory, 32 KB of codes. */
template <class Multiply> __device__ __forceinline__ void multiply_warpgroups(const moebius_yardstick &p, Multiply multiply) {
    MOEBIUS_DYNAMIC_SHARED(shared);
    for (int i = threadIdx.x; i < 4 * 8192; i += 256) shared[i] = static_cast<std::uint8_t>(scattered(i) & 0x3f);
    proxy_fence();
    __syncthreads();
    std::uint64_t a = swizzled_descriptor(shared_address(shared) + threadIdx.x / 128 * 8192), b = swizzled_descriptor(shared_address(shared) + 16384);
    float sum[64] = {};
    for (std::int64_t round = 0; round < p.count; round++) {
        wgmma_fence();
#pragma unroll
        for (int step = 0; step < 4; step++) multiply(sum, a + step * 2, b + step * 2);
        wgmma_commit();
        wgmma_wait<1>();
    }
    wgmma_wait<0>();
    wgmma_results(sum);
    float total = 0;
#pragma unroll
    for (int i = 0; i < 64; i++) total += sum[i];
    if (total == 0.123f) *static_cast<float *>(p.to) = total;
}
#endif

extern "C" __global__ void __launch_bounds__(256, 1) moebius_multiply_wgmma(const __grid_constant__ moebius_yardstick p) {
#if MOEBIUS_HOPPER
    multiply_warpgroups(p, [](float (&d)[64], std::uint64_t a, std::uint64_t b) { wgmma_e4m3<128>(d, a, b, 1); });
#endif
}

/* A from registers, as attention has it. */
extern "C" __global__ void __launch_bounds__(256, 1) moebius_multiply_wgmma_bf16(const __grid_constant__ moebius_yardstick p) {
#if MOEBIUS_HOPPER
    unsigned a[4];
    for (int i = 0; i < 4; i++) a[i] = scattered(threadIdx.x * 4 + i) & 0x3fff3fffu;
    multiply_warpgroups(p, [&a](float (&d)[64], std::uint64_t, std::uint64_t b) { wgmma_bf16<false>(d, a, b, 1); });
#endif
}

/* Eight warps a block, four independent sums each; mask leaves operands that are finite. */
template <class Multiply> __device__ __forceinline__ void multiply_warps(const moebius_yardstick &p, unsigned mask, Multiply multiply) {
    unsigned a[4], b[2];
    for (int i = 0; i < 4; i++) a[i] = scattered(threadIdx.x * 4 + i) & mask;
    for (int i = 0; i < 2; i++) b[i] = scattered(threadIdx.x * 2 + i + 4096) & mask;
    float sum[4][4] = {};
    for (std::int64_t round = 0; round < p.count; round++)
#pragma unroll
        for (int j = 0; j < 4; j++) multiply(sum[j], a, b);
    float total = 0;
    for (int j = 0; j < 4; j++) total += sum[j][0] + sum[j][1] + sum[j][2] + sum[j][3];
    if (total == 0.123f) *static_cast<float *>(p.to) = total;
}

extern "C" __global__ void __launch_bounds__(256) moebius_multiply_e4m3(const __grid_constant__ moebius_yardstick p) {
    multiply_warps(p, 0x3f3f3f3fu, [](float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) { mma_e4m3(d, a, b); });
}

extern "C" __global__ void __launch_bounds__(256) moebius_multiply_bf16(const __grid_constant__ moebius_yardstick p) {
    multiply_warps(p, 0x3fff3fffu, [](float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) { mma_bf16(d, a, b); });
}
