/* out[p] = x[source(p)] * transpose(W of the expert of p), x bf16, W bf16 or e4m3 (widened exactly on the way to the tensor cores),
   fp32 sums promoted every 64 (bf16) or 128 (e4m3) of K. Layout: moebius_cuda.h. Bound: bytes of W up to about 200 tokens, then
   flops. Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include "general_gemm.h"

MOEBIUS_GENERAL_GEMM(moebius_bf16_16, 16, 1, Operands::kBf16)
MOEBIUS_GENERAL_GEMM(moebius_bf16_64, 64, 1, Operands::kBf16)
MOEBIUS_GENERAL_GEMM(moebius_bf16_16_swiglu, 16, 2, Operands::kBf16)
MOEBIUS_GENERAL_GEMM(moebius_bf16_32_swiglu, 32, 2, Operands::kBf16)
MOEBIUS_GENERAL_GEMM(moebius_w8a16_16, 16, 1, Operands::kE4m3OverBf16)
MOEBIUS_GENERAL_GEMM(moebius_w8a16_64, 64, 1, Operands::kE4m3OverBf16)
MOEBIUS_GENERAL_GEMM(moebius_w8a16_16_swiglu, 16, 2, Operands::kE4m3OverBf16)
MOEBIUS_GENERAL_GEMM(moebius_w8a16_32_swiglu, 32, 2, Operands::kE4m3OverBf16)
