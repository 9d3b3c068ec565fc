/* out[p] = x[source(p)] * transpose(W of the expert of p), e4m3 by e4m3 on wgmma, for up to 64 tokens per expert: weights are streamed
   once. Layout: moebius_cuda.h; ring and roles: hopper_gemm.h. Bound: bytes of W (8 KB units, 64-128 KB in flight per SM).
   Sums: 4 x k32 per 128 of K, promoted to fp32, K in k_splits parts. Measured fraction: none; compiled, run in emulation, not run on
   a GPU. */
#include "hopper_gemm.h"

MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_8, 160, 8, 1, 1, 32, 10, false, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_16, 160, 16, 1, 1, 32, 10, false, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_32, 160, 32, 1, 1, 32, 8, false, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_64, 160, 64, 1, 1, 32, 6, false, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_8_spread, 160, 8, 1, 1, 32, 10, false, true)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_16_spread, 160, 16, 1, 1, 32, 10, false, true)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_32_spread, 160, 32, 1, 1, 32, 8, false, true)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_64_spread, 160, 64, 1, 1, 32, 6, false, true)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_8_swiglu, 160, 8, 2, 1, 32, 6, false, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_16_swiglu, 160, 16, 2, 1, 32, 6, false, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_32_swiglu, 160, 32, 2, 1, 32, 5, false, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_skinny_64_swiglu, 160, 64, 2, 1, 32, 4, false, false)
