/* Packs a row-major matrix into units of 64 rows x 128 bytes, swizzled, padded with zeros (moebius_cuda.h), as it is or as
   bf16(element * scale). One block per unit. Bound: bytes, read and written once at load.
   Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>

#include "epilogue.h"
#include "reduce.h"

__device__ __forceinline__ float packed_element(const moebius_pack &p, std::int64_t i) {
    switch (p.from_type) {
        case MOEBIUS_CUDA_E4M3: return unpack_e4m3(static_cast<const std::uint8_t *>(p.from)[i]).x;
        case MOEBIUS_CUDA_BF16: return from_bf16(static_cast<const std::uint16_t *>(p.from)[i]);
        case MOEBIUS_CUDA_INT4: return float((static_cast<const std::uint8_t *>(p.from)[i / 32 * 16 + i % 16] >> i % 32 / 16 * 4 & 15) - 8);
        case MOEBIUS_CUDA_F16: return from_f16(static_cast<const std::uint16_t *>(p.from)[i]);
        default: return static_cast<const float *>(p.from)[i];
    }
}

extern "C" __global__ void __launch_bounds__(256) moebius_pack_weights(const __grid_constant__ moebius_pack p) {
    int bytes = p.to_type == MOEBIUS_CUDA_E4M3 ? 1 : 2, across = kUnitRowBytes / bytes, blocks = ceil_div(p.k, across);
    int strip = blockIdx.x / blocks, block = blockIdx.x % blocks;
    std::uint8_t *unit = p.to + unit_offset(0, strip, block, 0, blocks);
    for (int i = threadIdx.x; i < kStrip * across; i += blockDim.x) {
        int r = i / across, row = strip * kStrip + r, column = block * across + i % across;
        bool inside = row < p.n && column < p.k;
        std::int64_t from = row * p.from_pitch + column;
        std::uint8_t *to = unit + swizzled(r, i % across * bytes);
        if (bytes == 1) *to = inside ? static_cast<const std::uint8_t *>(p.from)[from] : 0;
        else *reinterpret_cast<std::uint16_t *>(to) =
            inside ? to_bf16_bits(__fmul_rn(packed_element(p, from), scale_at(p.scales, 0, row, column, p.k))) : 0;
    }
}
