/* Sums and maxima in a fixed order. */
#pragma once
#include <ptx.h>

constexpr unsigned kAllLanes = 0xffffffffu;

__device__ __forceinline__ float warp_sum(float v) {
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2) v = __fadd_rn(v, __shfl_xor_sync(kAllLanes, v, mask));
    return v;
}
__device__ __forceinline__ float warp_max(float v) {
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2) v = fmaxf(v, __shfl_xor_sync(kAllLanes, v, mask));
    return v;
}
/* Over a block of Warps warps; desk: Warps floats of shared memory. Every thread gets the result. */
template <int Warps> __device__ __forceinline__ float block_sum(float v, float *desk) {
    v = warp_sum(v);
    __syncthreads();
    if (threadIdx.x % 32 == 0) desk[threadIdx.x / 32] = v;
    __syncthreads();
    float sum = desk[0];
    for (int w = 1; w < Warps; w++) sum = __fadd_rn(sum, desk[w]);
    return sum;
}
template <int Warps> __device__ __forceinline__ float block_max(float v, float *desk) {
    v = warp_max(v);
    __syncthreads();
    if (threadIdx.x % 32 == 0) desk[threadIdx.x / 32] = v;
    __syncthreads();
    float largest = desk[0];
    for (int w = 1; w < Warps; w++) largest = fmaxf(largest, desk[w]);
    return largest;
}

__device__ __forceinline__ float from_bf16(std::uint16_t v) { return __uint_as_float(unsigned(v) << 16); }
