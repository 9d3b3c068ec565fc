/* out[p] = x[source(p)] * transpose(W of the expert of p), e4m3 by e4m3 on wgmma, for many tokens: persistent blocks, one warpgroup
   copies, two multiply, each 64 weight rows by 128 tokens; for SWIGLU one has the gate's rows and one up's.
   Layout: moebius_cuda.h; ring and roles: hopper_gemm.h. Bound: flops. The same sums as the skinny kernels, bit for bit.
   Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include "hopper_gemm.h"

MOEBIUS_HOPPER_GEMM(moebius_fp8_wide_64, 384, 64, 1, 2, 128, 7, false, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_wide_128, 384, 128, 1, 2, 128, 5, false, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_wide_64_swiglu, 384, 64, 1, 2, 128, 7, true, false)
MOEBIUS_HOPPER_GEMM(moebius_fp8_wide_128_swiglu, 384, 128, 1, 2, 128, 5, true, false)
