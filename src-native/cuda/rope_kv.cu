/* Rotates pairs (i, i + head_dim / 2) of query and key by position * theta^(-2 i / head_dim) (Su et al. 2021), pads heads with zeros
   to padded_dim, and stores key and value in the paged cache. One block per token; layout: moebius_cuda.h.
   Bound: latency (bytes of qkv). Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>

#include "layout.h"
#include "reduce.h"

constexpr int kMaxPairs = 128;

extern "C" __global__ void __launch_bounds__(128) moebius_rope_store(const __grid_constant__ moebius_rope p) {
    __shared__ float cosines[kMaxPairs], sines[kMaxPairs];
    pdl_wait();
    pdl_launch_dependents();
    int token = blockIdx.x, position = p.positions[token], half = p.head_dim / 2;
    for (int i = threadIdx.x; i < half; i += 128) {
        double angle = position * exp2(-2.0 * i / p.head_dim * log2(double(p.theta)));
        cosines[i] = float(cos(angle));
        sines[i] = float(sin(angle));
    }
    __syncthreads();
    const std::uint16_t *qkv = p.qkv + token * p.qkv_pitch;
    int block = p.tables[p.table_offsets[p.sequences[token]] + position / kBlockTokens];
    int all_heads = p.heads + 2 * p.kv_heads;
    for (int i = threadIdx.x; i < all_heads * p.padded_dim; i += 128) {
        int head = i / p.padded_dim, d = i % p.padded_dim;
        float v = 0;
        if (d < p.head_dim) {
            v = from_bf16(qkv[head * p.head_dim + d]);
            if (head < p.heads + p.kv_heads) {
                int pair = d % half;
                float other = from_bf16(qkv[head * p.head_dim + (d < half ? d + half : d - half)]);
                float turned = __fmul_rn(other, sines[pair]);
                v = __fadd_rn(__fmul_rn(v, cosines[pair]), d < half ? -turned : turned);
            }
        }
        if (head < p.heads) {
            p.query[(std::int64_t(token) * p.heads + head) * p.padded_dim + d] = to_bf16_bits(v);
            continue;
        }
        bool key = head < p.heads + p.kv_heads;
        int kv_head = key ? head - p.heads : head - p.heads - p.kv_heads;
        std::int64_t at = ((std::int64_t(block) * p.kv_heads + kv_head) * kBlockTokens + position % kBlockTokens) * p.padded_dim + d;
        void *cache = key ? p.keys : p.values;
        if (p.cache_type == MOEBIUS_CUDA_E4M3) static_cast<std::uint8_t *>(cache)[at] = to_e4m3_bits(v / (key ? p.key_scale : p.value_scale));
        else static_cast<std::uint16_t *>(cache)[at] = to_bf16_bits(v);
    }
}
