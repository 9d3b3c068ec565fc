/* Packs a row-major matrix into units of 64 rows x 128 bytes, swizzled, padded with zeros (moebius_cuda.h). One block per unit.
   Bound: bytes, read and written once at load. Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>
#include <ptx.h>

#include "layout.h"

extern "C" __global__ void __launch_bounds__(256) moebius_pack_weights(const __grid_constant__ moebius_pack p) {
    int row_bytes = p.k * p.element_bytes;
    int blocks = ceil_div(row_bytes, kUnitRowBytes);
    int strip = blockIdx.x / blocks, block = blockIdx.x % blocks;
    const std::uint8_t *from = static_cast<const std::uint8_t *>(p.from);
    std::uint8_t *unit = p.to + unit_offset(0, strip, block, 0, blocks);
    for (int i = threadIdx.x; i < kUnit; i += blockDim.x) {
        int row = strip * kStrip + i / kUnitRowBytes, byte = block * kUnitRowBytes + i % kUnitRowBytes;
        bool inside = row < p.n && byte < row_bytes;
        unit[swizzled(i / kUnitRowBytes, i % kUnitRowBytes)] = inside ? from[row * p.from_pitch_bytes + byte] : 0;
    }
}
