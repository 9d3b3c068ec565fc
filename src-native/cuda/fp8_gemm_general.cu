/* out[p] = x[source(p)] * transpose(W of the expert of p), e4m3 by e4m3, fp32 sums promoted every 128 of K.
   Layout: moebius_cuda.h. Bound: bytes of W up to about 100 tokens, then flops. For GPUs without wgmma (mma.sync e4m3 is native on
   sm_89 and sm_120), and the correct path of the others. Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include "general_gemm.h"

MOEBIUS_GENERAL_GEMM(moebius_fp8_general_16, 16, 1, Operands::kE4m3)
MOEBIUS_GENERAL_GEMM(moebius_fp8_general_64, 64, 1, Operands::kE4m3)
MOEBIUS_GENERAL_GEMM(moebius_fp8_general_16_swiglu, 16, 2, Operands::kE4m3)
MOEBIUS_GENERAL_GEMM(moebius_fp8_general_32_swiglu, 32, 2, Operands::kE4m3)
