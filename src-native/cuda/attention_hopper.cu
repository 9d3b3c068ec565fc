/* Attention by wgmma, for compute capability 9.0 and head dims 64 and 128. Prefill: block (tile of 128 query rows, kv head), rows as in
   attention_prefill.cu, the last tiles first since causal ones are longest there. Decode: block (token, kv head and 16 of its query heads,
   split), as in attention_decode.cu; 48 of a warpgroup's 64 rows are empty, which costs nothing where bytes are what bounds.
   Recipe, ring and roles: attention_hopper.h; layout: moebius_cuda.h. Bound: flops of the 16-bit tensor cores; decode: bytes of the keys
   and values. Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include "attention_hopper.h"

template <int Dim, bool E4m3> __device__ __forceinline__ void hopper_prefill(const moebius_attend &p, std::uint8_t *shared) {
    using Attention = HopperAttention<Dim, E4m3, 2, kHopperPrefillStages, false>;
    pdl_wait();
    pdl_launch_dependents();
    int group = p.heads / p.kv_heads;
    Queries queries;
    if (!find_queries(p, gridDim.x - 1 - blockIdx.x, kQueryRows / group, queries)) return;
    int first = p.positions[queries.first], start = first_seen(p, first), limit = p.positions[queries.end - 1] + 1;
    __shared__ AttentionWork work;
    if (threadIdx.x == 0)
        work = {queries, int(blockIdx.y), 0, group, start / kHopperTile, ceil_div(limit, kHopperTile), first, start, limit, window_or_all(p), score_factor(p)};
    Attention(p, shared, work).run();
}

template <int Dim, bool E4m3> __device__ __forceinline__ void hopper_decode(const moebius_attend &p, std::uint8_t *shared) {
    using Attention = HopperAttention<Dim, E4m3, 1, kHopperDecodeStages, true>;
    pdl_wait();
    pdl_launch_dependents();
    int token = blockIdx.x, position = p.positions[token], seen = first_seen(p, position), split = seen / kSplit + blockIdx.z;
    if (split * kSplit > position) return;
    int group = p.heads / p.kv_heads, row_tiles = ceil_div(group, 16);
    int first_head = blockIdx.y % row_tiles * 16;
    __shared__ AttentionWork work;
    if (threadIdx.x == 0)
        work = {{p.sequences[token], token, token + 1}, int(blockIdx.y) / row_tiles, first_head, min(16, group - first_head),
                max(split * kSplit, seen) / kHopperTile, min((split + 1) * kSplit / kHopperTile, position / kHopperTile + 1),
                position, seen, position + 1, window_or_all(p), score_factor(p)};
    Attention(p, shared, work).run();
}

#if MOEBIUS_HOPPER
#define MOEBIUS_HOPPER_ATTENTION(kind, dim, e4m3) \
    MOEBIUS_DYNAMIC_SHARED(shared);               \
    hopper_##kind<dim, e4m3>(p, shared);
#else
#define MOEBIUS_HOPPER_ATTENTION(kind, dim, e4m3)
#endif
#define MOEBIUS_ATTENTION_KERNELS(dim, type, e4m3)                                                                                       \
    extern "C" __global__ void __launch_bounds__(384, 1) moebius_hopper_prefill_##dim##_##type(const __grid_constant__ moebius_attend p) { \
        MOEBIUS_HOPPER_ATTENTION(prefill, dim, e4m3)                                                                                     \
    }                                                                                                                                    \
    extern "C" __global__ void __launch_bounds__(256, 2) moebius_hopper_decode_##dim##_##type(const __grid_constant__ moebius_attend p) { \
        MOEBIUS_HOPPER_ATTENTION(decode, dim, e4m3)                                                                                      \
    }
MOEBIUS_ATTENTION_KERNELS(64, bf16, false)
MOEBIUS_ATTENTION_KERNELS(128, bf16, false)
MOEBIUS_ATTENTION_KERNELS(64, e4m3, true)
MOEBIUS_ATTENTION_KERNELS(128, e4m3, true)
