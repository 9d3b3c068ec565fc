/* out[t] = table[tokens[t]], or table[drawn[~tokens[t]]] of a token that only the device knows yet. One block per token; layout: moebius_cuda.h. Bound: latency.
   Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>

#include "reduce.h"

extern "C" __global__ void __launch_bounds__(256) moebius_embed_tokens(const __grid_constant__ moebius_embed p) {
    pdl_wait();
    pdl_launch_dependents();
    int token = p.tokens[blockIdx.x];
    if (token < 0) token = p.drawn[~token];
    const std::uint16_t *row = p.table + std::int64_t(token) * p.columns;
    float *out = p.out + std::int64_t(blockIdx.x) * p.columns;
    for (int c = threadIdx.x; c < p.columns; c += 256) out[c] = from_bf16(row[c]);
}
