/* Top-k routing and the sort of the chosen rows by expert. logit[e] = x . router[e] * scale[e]; the top_k largest, ties to the lower
   id; weight = softmax over the chosen, which is softmax over all divided by the sum of the chosen. A block of 8 warps per token, each
   warp an expert at a time. Sort: one block counts, scans and places in token order, without atomics on places, 256 experts at a time; in
   small steps the block that chooses last, in large ones a kernel of its own. Layout: moebius_cuda.h.
   Bound: latency (bytes of x and router from L2). Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>

#include "layout.h"
#include "reduce.h"

constexpr int kRouteWarps = 8, kSortWarps = 32;

__device__ __forceinline__ void load_8(const std::uint16_t *from, float (&to)[8]) {
    uint4 v = *reinterpret_cast<const uint4 *>(from);
    unsigned words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 8; i++) to[i] = from_bf16(std::uint16_t(words[i / 2] >> 16 * (i % 2)));
}
__device__ __forceinline__ void load_8(const float *from, float (&to)[8]) {
    float4 low = *reinterpret_cast<const float4 *>(from), high = *reinterpret_cast<const float4 *>(from + 4);
    float all[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
    for (int i = 0; i < 8; i++) to[i] = all[i];
}
__device__ __forceinline__ float as_float(std::uint16_t v) { return from_bf16(v); }
__device__ __forceinline__ float as_float(float v) { return v; }

/* 8 channels from `first`, zeros from hidden on. */
template <class Element> __device__ __forceinline__ void load_channels(const Element *row, int first, int hidden, bool aligned, float (&to)[8]) {
    if (aligned) return load_8(row + first, to);
#pragma unroll
    for (int i = 0; i < 8; i++) to[i] = first + i < hidden ? as_float(row[first + i]) : 0;
}

/* Lane l sums channels 8 l .. 8 l + 7 of every 256. */
template <class Element> __device__ float route_logit(const moebius_route &p, const std::uint16_t *x, int expert, int lane) {
    const Element *router = static_cast<const Element *>(p.router) + std::int64_t(expert) * p.hidden;
    bool aligned = p.hidden % 8 == 0 && p.x_pitch % 8 == 0;
    float sum = 0;
    for (int first = lane * 8; first < p.hidden; first += 256) {
        float channels[8], row[8];
        load_channels(x, first, p.hidden, aligned, channels);
        load_channels(router, first, p.hidden, aligned, row);
#pragma unroll
        for (int i = 0; i < 8; i++) {
            float v = p.x_scale > 0 ? unpack_e4m3(to_e4m3_bits(channels[i] / p.x_scale)).x : channels[i];
            sum = __fadd_rn(sum, __fmul_rn(v, row[i]));
        }
    }
    sum = warp_sum(sum);
    if (p.x_scale > 0) sum = __fmul_rn(sum, p.x_scale);
    if (p.router_scales) sum = __fmul_rn(sum, p.router_scales[expert]);
    return sum == sum ? sum : -INFINITY;
}

/* The top_k largest logits and their weights, by one warp. Logits that are taken become NAN. */
__device__ __forceinline__ void choose_experts(const moebius_route &p, int token, int lane, float *logits) {
    int *ids = p.ids + std::int64_t(token) * p.top_k;
    float *weights = p.weights + std::int64_t(token) * p.top_k;
    float largest = 0, total = 0, mine = 0; /* mine, id: choice k % 32 */
    int id = 0;
    for (int k = 0; k < p.top_k; k++) {
        float best = -INFINITY;
        int index = kMaxExperts;
        for (int e = lane; e < p.experts; e += 32)
            if (logits[e] > best || (logits[e] == best && e < index)) { best = logits[e]; index = e; }
        for (int mask = 16; mask > 0; mask /= 2) {
            float other = __shfl_xor_sync(kAllLanes, best, mask);
            int other_index = __shfl_xor_sync(kAllLanes, index, mask);
            if (other > best || (other == best && other_index < index)) { best = other; index = other_index; }
        }
        if (k == 0) largest = best;
        float weight = exp_exact(best - largest);
        total = k == 0 ? weight : __fadd_rn(total, weight);
        if (lane == k % 32) { mine = weight; id = index; }
        if (lane == index % 32) logits[index] = NAN; /* neither larger than another nor equal; no other lane reads it */
        if (k % 32 == 31 && k + 1 < p.top_k) {
            ids[k - 31 + lane] = id;
            weights[k - 31 + lane] = mine;
        }
    }
    int kept = (p.top_k - 1) / 32 * 32; /* choices before are in memory, not yet divided */
    for (int k = lane; k < kept; k += 32) weights[k] /= total;
    if (kept + lane < p.top_k) {
        ids[kept + lane] = id;
        weights[kept + lane] = mine / total;
    }
}

template <int Warps> struct SortDesk { int counts[Warps][kExpertsAtOnce], next[kExpertsAtOnce]; };

/* By a block of Warps warps; ids are read from the L2, where other blocks may have just written them. Route and Permute name their arrays alike. */
template <int Warps, class Choices> __device__ void sort_by_expert(const Choices &p, SortDesk<Warps> &desk) {
    constexpr int kThreads = 32 * Warps;
    int thread = threadIdx.x, lane = thread % 32, warp = thread / 32, chosen = p.tokens * p.top_k;
    int sorted = 0; /* rows of earlier experts, for the first warp */
    for (int base = 0; base < p.experts; base += kExpertsAtOnce) {
        int experts = min(p.experts - base, kExpertsAtOnce);
        for (int e = thread; e < experts; e += kThreads) desk.next[e] = 0;
        __syncthreads();
        for (int i = thread; i < chosen; i += kThreads) {
            int expert = __ldcg(p.ids + i) - base;
            if (unsigned(expert) < unsigned(experts)) atomicAdd(&desk.next[expert], 1);
        }
        __syncthreads();
        for (int e = lane; warp == 0 && e - lane < experts; e += 32) {
            int count = e < experts ? desk.next[e] : 0, end = count;
            for (int delta = 1; delta < 32; delta *= 2) {
                int before = __shfl_up_sync(kAllLanes, end, delta);
                if (lane >= delta) end += before;
            }
            if (e < experts) p.offsets[base + e] = desk.next[e] = sorted + end - count;
            sorted += __shfl_sync(kAllLanes, end, 31);
        }
        if (thread == 0) p.offsets[base + experts] = sorted;
        for (int first = 0; first < chosen; first += kThreads) {
            for (int i = thread; i < Warps * kExpertsAtOnce; i += kThreads) desk.counts[i / kExpertsAtOnce][i % kExpertsAtOnce] = 0;
            __syncthreads();
            int i = first + thread, expert = i < chosen ? __ldcg(p.ids + i) - base : -1;
            bool here = unsigned(expert) < unsigned(experts);
            unsigned same = __match_any_sync(kAllLanes, expert);
            int before = __popc(same & ((1u << lane) - 1));
            if (here && before == 0) desk.counts[warp][expert] = __popc(same);
            __syncthreads();
            if (here) {
                int position = desk.next[expert] + before;
                for (int w = 0; w < warp; w++) position += desk.counts[w][expert];
                p.positions[i] = position;
                p.sources[position] = i / p.top_k;
            }
            __syncthreads();
            for (int e = thread; e < experts; e += kThreads)
                for (int w = 0; w < Warps; w++) desk.next[e] += desk.counts[w][e];
            __syncthreads();
        }
    }
}

union RouteDesk { float logits[kMaxExperts]; SortDesk<kRouteWarps> sort; };

extern "C" __global__ void __launch_bounds__(32 * kRouteWarps) moebius_route_tokens(const __grid_constant__ moebius_route p) {
    __shared__ RouteDesk desk;
    __shared__ int earlier; /* blocks that have chosen */
    pdl_wait();
    pdl_launch_dependents();
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, token = blockIdx.x;
    const std::uint16_t *x = p.x + token * p.x_pitch;
    for (int e = warp; e < p.experts; e += kRouteWarps) {
        float logit = p.router_type == MOEBIUS_CUDA_F32 ? route_logit<float>(p, x, e, lane) : route_logit<std::uint16_t>(p, x, e, lane);
        if (lane == 0) desk.logits[e] = logit;
    }
    __syncthreads();
    if (warp == 0) choose_experts(p, token, lane, desk.logits);
    if (!p.ticket) return;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) earlier = atomicAdd(p.ticket, 1);
    __syncthreads();
    if (earlier < p.tokens - 1) return;
    if (threadIdx.x == 0) *p.ticket = 0;
    __threadfence();
    sort_by_expert(p, desk.sort);
}

extern "C" __global__ void __launch_bounds__(32 * kSortWarps) moebius_permute_tokens(const __grid_constant__ moebius_permute p) {
    __shared__ SortDesk<kSortWarps> desk;
    pdl_wait();
    pdl_launch_dependents();
    sort_by_expert(p, desk);
}
