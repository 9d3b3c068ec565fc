/* Top-k routing and the sort of the chosen rows by expert. logit[e] = x . router[e]; the top_k largest, ties to the lower id;
   weight = softmax over the chosen, which is softmax over all divided by the sum of the chosen. A warp per token.
   Sort: one block counts, scans and places in token order, without atomics on places. Layout: moebius_cuda.h.
   Bound: latency (bytes of x and router from L2). Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>

#include "layout.h"
#include "reduce.h"

constexpr int kMaxExperts = 256;
constexpr int kSortThreads = 1024;

extern "C" __global__ void __launch_bounds__(128) moebius_route_tokens(const __grid_constant__ moebius_route p) {
    __shared__ float all[4][kMaxExperts];
    pdl_wait();
    pdl_launch_dependents();
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, token = blockIdx.x * 4 + warp;
    if (token >= p.tokens) return;
    float *logits = all[warp];
    const std::uint16_t *x = p.x + token * p.x_pitch;
    for (int e = 0; e < p.experts; e++) {
        const std::uint16_t *row = p.router + std::int64_t(e) * p.hidden;
        float sum = 0;
        for (int c = lane; c < p.hidden; c += 32) sum = __fadd_rn(sum, __fmul_rn(from_bf16(x[c]), from_bf16(row[c])));
        sum = warp_sum(sum);
        if (lane == 0) logits[e] = sum == sum ? sum : -INFINITY;
    }
    __syncwarp();
    float largest = 0, total = 0, mine = 0;
    int id = 0;
    unsigned long long taken[kMaxExperts / 64] = {};
    for (int k = 0; k < p.top_k; k++) {
        float best = -INFINITY;
        int index = kMaxExperts;
        for (int e = lane; e < p.experts; e += 32) {
            bool free = !(taken[e / 64] >> (e % 64) & 1);
            if (free && (logits[e] > best || (logits[e] == best && e < index))) { best = logits[e]; index = e; }
        }
        for (int mask = 16; mask > 0; mask /= 2) {
            float other = __shfl_xor_sync(kAllLanes, best, mask);
            int other_index = __shfl_xor_sync(kAllLanes, index, mask);
            if (other > best || (other == best && other_index < index)) { best = other; index = other_index; }
        }
        taken[index / 64] |= 1ull << (index % 64);
        if (k == 0) largest = best;
        float weight = exp_exact(best - largest);
        total = k == 0 ? weight : __fadd_rn(total, weight);
        if (lane == k) { mine = weight; id = index; }
    }
    if (lane < p.top_k) {
        p.ids[token * p.top_k + lane] = id;
        p.weights[token * p.top_k + lane] = mine / total;
    }
}

extern "C" __global__ void __launch_bounds__(kSortThreads) moebius_permute_tokens(const __grid_constant__ moebius_permute p) {
    __shared__ int counts[kSortThreads / 32][kMaxExperts];
    __shared__ int next[kMaxExperts];
    pdl_wait();
    pdl_launch_dependents();
    int thread = threadIdx.x, lane = thread % 32, warp = thread / 32, chosen = p.tokens * p.top_k;
    for (int e = thread; e < p.experts; e += kSortThreads) next[e] = 0;
    __syncthreads();
    for (int i = thread; i < chosen; i += kSortThreads) atomicAdd(&next[p.ids[i]], 1);
    __syncthreads();
    if (thread == 0) {
        int sum = 0;
        for (int e = 0; e < p.experts; e++) {
            int count = next[e];
            p.offsets[e] = next[e] = sum;
            sum += count;
        }
        p.offsets[p.experts] = sum;
    }
    for (int first = 0; first < chosen; first += kSortThreads) {
        for (int i = thread; i < kSortThreads / 32 * kMaxExperts; i += kSortThreads) counts[i / kMaxExperts][i % kMaxExperts] = 0;
        __syncthreads();
        int i = first + thread;
        int expert = i < chosen ? p.ids[i] : -1;
        unsigned same = __match_any_sync(kAllLanes, expert);
        int before = __popc(same & ((1u << lane) - 1));
        if (expert >= 0 && before == 0) counts[warp][expert] = __popc(same);
        __syncthreads();
        if (expert >= 0) {
            int position = next[expert] + before;
            for (int w = 0; w < warp; w++) position += counts[w][expert];
            p.positions[i] = position;
            p.sources[position] = i / p.top_k;
        }
        __syncthreads();
        for (int e = thread; e < p.experts; e += kSortThreads)
            for (int w = 0; w < kSortThreads / 32; w++) next[e] += counts[w][e];
        __syncthreads();
    }
}
