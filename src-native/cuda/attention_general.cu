/* Paged causal attention of any head dim and any number of query heads per key/value head, for those that tiles don't take. Block (token,
   head): warps score positions, then thread d has channels d, d + 256, ...; float32 sums, an online softmax in base 2 (Milakov and
   Gimelshein 2018) over tiles of 256 positions counted from 0. Layout: moebius_cuda.h. Bound: latency; every head reads its keys anew.
   Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include "attention.h"

constexpr int kGeneralAttentionThreads = 256, kGeneralAttentionWarps = kGeneralAttentionThreads / 32;
static_assert(kGeneralAttentionThreads == kSplit, "a thread for each position of a tile");

extern "C" __global__ void __launch_bounds__(kGeneralAttentionThreads) moebius_attend_general(const __grid_constant__ moebius_attend p) {
    __shared__ float query[kMaxHeadDim], sums[kMaxHeadDim], weights[kSplit], desk[kGeneralAttentionWarps];
    pdl_wait();
    pdl_launch_dependents();
    int token = blockIdx.x, head = blockIdx.y, kv_head = head / (p.heads / p.kv_heads), thread = threadIdx.x, lane = thread % 32;
    int position = p.positions[token], seen = first_seen(p, position);
    const int *table = p.tables + p.table_offsets[p.sequences[token]];
    auto row = [&](int j) {
        return ((std::int64_t(table[j / kBlockTokens]) * p.kv_heads + kv_head) * kBlockTokens + j % kBlockTokens) * p.padded_dim;
    };
    auto cached = [&](const void *cache, std::int64_t at) {
        if (p.cache_type == MOEBIUS_CUDA_E4M3) return unpack_e4m3(static_cast<const std::uint8_t *>(cache)[at]).x;
        return from_bf16(static_cast<const std::uint16_t *>(cache)[at]);
    };
    for (int d = thread; d < p.head_dim; d += kGeneralAttentionThreads) {
        query[d] = from_bf16(p.query[(std::int64_t(token) * p.heads + head) * p.padded_dim + d]);
        sums[d] = 0;
    }
    __syncthreads();
    float factor = score_factor(p), largest = -INFINITY, total = 0;
    for (int first = seen / kSplit * kSplit; first <= position; first += kSplit) {
        int begin = max(first, seen), end = min(first + kSplit, position + 1);
        for (int j = begin + thread / 32; j < end; j += kGeneralAttentionWarps) {
            std::int64_t key = row(j);
            float score = 0;
            for (int d = lane; d < p.head_dim; d += 32) score = __fadd_rn(score, __fmul_rn(query[d], cached(p.keys, key + d)));
            score = __fmul_rn(warp_sum(score), factor);
            if (lane == 0) weights[j - first] = score;
        }
        __syncthreads();
        bool mine = first + thread >= begin && first + thread < end;
        float score = mine ? weights[thread] : -INFINITY;
        float top = fmaxf(largest, block_max<kGeneralAttentionWarps>(score, desk)), finite = finite_or_zero(top);
        float weight = mine ? exp2_fast(__fadd_rn(score, -finite)) : 0, keep = exp2_fast(__fadd_rn(largest, -finite));
        weights[thread] = weight;
        total = __fadd_rn(__fmul_rn(total, keep), block_sum<kGeneralAttentionWarps>(weight, desk));
        for (int d = thread; d < p.head_dim; d += kGeneralAttentionThreads) {
            float sum = __fmul_rn(sums[d], keep);
            for (int j = begin; j < end; j++) sum = __fadd_rn(sum, __fmul_rn(weights[j - first], cached(p.values, row(j) + d)));
            sums[d] = sum;
        }
        largest = top;
        __syncthreads();
    }
    for (int d = thread; d < p.head_dim; d += kGeneralAttentionThreads) store_attended(p, token, head, d, sums[d], total);
}
