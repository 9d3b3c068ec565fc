/* One token per row of logits. Order: logprobs of the raw logits; logit bias, repetition (Keskar et al. 2019), presence and frequency
   penalties, allowed tokens; temperature, top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024); draw with
   output `index` of SplitMix64 (Steele et al. 2014) of the row's seed. Weights are integers, 2^40 exp((logit - largest) / temperature):
   their sums are exact in any order, and each step to them is rounded as written, so that the engine's own sampler on the host draws
   the same tokens. One block of 1024 threads per row, thread t has ids t * per .. (t + 1) * per - 1.
   Layout: moebius_cuda.h. Bound: latency (about 10 passes over a row in the L2).
   Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>

#include "layout.h"
#include "reduce.h"

namespace {

constexpr int kSampleWarps = 32;
using u64 = unsigned long long;

/* Larger floats have larger keys. */
__device__ __forceinline__ unsigned ordered(float v) {
    unsigned bits = __float_as_uint(v + 0.0f);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
__device__ __forceinline__ u64 mix(u64 z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

struct Desk {
    float floats[kSampleWarps];
    u64 words[kSampleWarps + 1];
    u64 bins[256];
    u64 above, ties;
    unsigned threshold;
    int chosen;
};

class Row {
  public:
    __device__ Row(const moebius_sample &p, Desk &desk)
        : p(p), desk(desk), row(blockIdx.x), thread(threadIdx.x), raw(p.logits + row * p.pitch), logits(p.adjusted + row * p.pitch) {
        int per = ceil_div(p.vocabulary, kSampleWarps * 32);
        begin = min(thread * per, p.vocabulary);
        end = min(begin + per, p.vocabulary);
    }

    __device__ void run() {
        int bad = 0;
        for (int id = begin; id < end; id++) {
            bool finite = isfinite(raw[id]);
            logits[id] = finite ? raw[id] : -INFINITY;
            bad |= !finite;
        }
        if (sum_all(bad) > 0 && thread == 0) p.status[row] = 1;
        else if (thread == 0) p.status[row] = 0;
        float normalizer = log_sum();
        top_logprobs(normalizer);
        adjust();
        u64 best = largest(~0ull);
        int chosen = id_of(best);
        float top = best == 0 ? -INFINITY : logits[chosen];
        if (top == -INFINITY) {
            if (thread == 0) { p.status[row] = 2; p.tokens[row] = 0; p.logprobs[row] = -INFINITY; }
            return;
        }
        if (p.temperature[row] > 0) chosen = draw(top);
        if (thread != 0) return;
        p.tokens[row] = chosen;
        p.logprobs[row] = raw[chosen] - normalizer;
        std::uint16_t *counts = p.counts ? p.counts[row] : nullptr;
        if (counts && (counts[chosen] & 0x7fff) < 0x7fff) counts[chosen]++;
    }

  private:
    const moebius_sample &p;
    Desk &desk;
    std::int64_t row;
    int thread, begin, end;
    const float *raw;
    float *logits;

    /* Of ids below this thread's; total in desk.words[kSampleWarps]. */
    __device__ u64 sum_before(u64 mine) {
        int lane = thread % 32, warp = thread / 32;
        u64 inclusive = mine;
        for (int d = 1; d < 32; d *= 2) {
            u64 other = __shfl_up_sync(kAllLanes, inclusive, d);
            if (lane >= d) inclusive += other;
        }
        __syncthreads();
        if (lane == 31) desk.words[warp] = inclusive;
        __syncthreads();
        u64 before = 0, total = 0;
        for (int w = 0; w < kSampleWarps; w++) {
            if (w < warp) before += desk.words[w];
            total += desk.words[w];
        }
        __syncthreads();
        if (thread == 0) desk.words[kSampleWarps] = total;
        __syncthreads();
        return before + inclusive - mine;
    }
    __device__ u64 sum_all(u64 mine) { sum_before(mine); return desk.words[kSampleWarps]; }

    /* The largest logit, lowest id first, as a key below `below`; 0 if there is none. */
    __device__ u64 largest(u64 below) {
        u64 best = 0;
        for (int id = begin; id < end; id++) {
            u64 key = u64(ordered(logits[id])) << 32 | (0xffffffffu - unsigned(id));
            if (key < below && key > best) best = key;
        }
        for (int mask = 16; mask > 0; mask /= 2) {
            u64 other = __shfl_xor_sync(kAllLanes, best, mask);
            if (other > best) best = other;
        }
        __syncthreads();
        if (thread % 32 == 0) desk.words[thread / 32] = best;
        __syncthreads();
        for (int w = 0; w < kSampleWarps; w++) best = desk.words[w] > best ? desk.words[w] : best;
        return best;
    }
    __device__ static int id_of(u64 key) { return int(0xffffffffu - unsigned(key)); }

    __device__ float log_sum() {
        float top = -INFINITY, sum = 0;
        for (int id = begin; id < end; id++) top = fmaxf(top, logits[id]);
        top = block_max<kSampleWarps>(top, desk.floats);
        for (int id = begin; id < end; id++) sum = __fadd_rn(sum, exp_exact(logits[id] - top));
        return top + logf(block_sum<kSampleWarps>(sum, desk.floats));
    }
    __device__ void top_logprobs(float normalizer) {
        u64 below = ~0ull;
        for (int j = 0; j < p.top_logprobs; j++) {
            below = largest(below);
            if (thread == 0) {
                p.top_ids[row * p.top_logprobs + j] = below == 0 ? -1 : id_of(below);
                p.top_values[row * p.top_logprobs + j] = below == 0 ? -INFINITY : logits[id_of(below)] - normalizer;
            }
        }
    }

    __device__ void adjust() {
        __syncthreads();
        if (p.bias_offsets)
            for (int i = p.bias_offsets[row] + thread; i < p.bias_offsets[row + 1]; i += kSampleWarps * 32)
                logits[p.bias_ids[i]] = capped(logits[p.bias_ids[i]] + p.bias_values[i]);
        __syncthreads();
        const std::uint16_t *counts = p.counts ? p.counts[row] : nullptr;
        for (int id = begin; id < end; id++) {
            float v = logits[id];
            if (counts && counts[id] != 0) {
                int times = counts[id] & 0x7fff;
                v = capped(v > 0 ? v / p.repetition[row] : v * p.repetition[row]);
                if (times > 0) v = capped(v - __fadd_rn(p.presence[row], __fmul_rn(p.frequency[row], times)));
            }
            if (p.allowed && !(p.allowed[row * ceil_div(p.vocabulary, 32) + id / 32] >> (id % 32) & 1)) v = -INFINITY;
            logits[id] = v;
        }
    }
    __device__ static float capped(float v) { return fminf(v, 3.402823466e38f); }

    /* 2^(40 + power), the fraction of the power by Taylor's series to its 7th term. */
    __device__ static u64 weight(float v, float top, float temperature) {
        constexpr float kTerms[] = {1.5403530e-4f, 1.3333558e-3f, 9.6181291e-3f, 5.5504109e-2f, 2.4022651e-1f, 6.9314718e-1f, 1.0f};
        float power = __fmul_rn((v - top) / temperature, 1.44269504f);
        if (!(power > -41)) return 0;
        float whole = rintf(power), fraction = power - whole, sum = 1.5252734e-5f;
#pragma unroll
        for (int i = 0; i < 7; i++) sum = __fadd_rn(__fmul_rn(sum, fraction), kTerms[i]);
        return u64(sum * __uint_as_float(unsigned(167 + int(whole)) << 23));
    }

    /* Drops (sets to -infinity) all but the best ids whose measures reach target; among equal logits the lower ids stay. */
    template <class Measure> __device__ void keep(u64 target, Measure measure) {
        unsigned prefix = 0, mask = 0;
        u64 above = 0;
        for (int shift = 24; shift >= 0; shift -= 8) {
            __syncthreads();
            if (thread < 256) desk.bins[thread] = 0;
            __syncthreads();
            for (int id = begin; id < end; id++) {
                unsigned key = ordered(logits[id]);
                if (logits[id] != -INFINITY && (key & mask) == prefix) atomicAdd(&desk.bins[key >> shift & 255], measure(logits[id]));
            }
            __syncthreads();
            if (thread == 0) {
                int bin = 255;
                while (bin > 0 && above + desk.bins[bin] < target) above += desk.bins[bin--];
                desk.threshold = prefix | unsigned(bin) << shift;
                desk.above = above;
            }
            __syncthreads();
            prefix = desk.threshold;
            above = desk.above;
            mask |= 255u << shift;
        }
        u64 mine = 0;
        for (int id = begin; id < end; id++) mine += ordered(logits[id]) == prefix;
        u64 rank = sum_before(mine);
        for (int id = begin; id < end; id++) {
            unsigned key = ordered(logits[id]);
            if (key > prefix) continue;
            /* A tie stays while those before it have not reached the target. */
            bool stays = key == prefix && above + rank * measure(logits[id]) < target;
            rank += key == prefix;
            if (!stays) logits[id] = -INFINITY;
        }
        __syncthreads();
    }

    __device__ int draw(float top) {
        float temperature = p.temperature[row];
        auto weigh = [top, temperature](float v) { return weight(v, top, temperature); };
        int top_k = p.top_k[row];
        if (top_k > 0 && top_k < p.vocabulary) {
            u64 left = 0;
            for (int id = begin; id < end; id++) left += logits[id] != -INFINITY;
            left = sum_all(left);
            if (u64(top_k) < left) keep(u64(top_k), [](float) { return u64(1); });
        }
        if (p.top_p[row] < 1) {
            u64 target = u64(double(total(weigh)) * p.top_p[row]);
            keep(target > 0 ? target : 1, weigh);
        }
        u64 least = u64(double(p.min_p[row]) * 1099511627776.0), mine = 0;
        auto left = [&](float v) { u64 w = weigh(v); return w < least ? 0 : w; };
        for (int id = begin; id < end; id++) mine += left(logits[id]);
        u64 before = sum_before(mine), all = desk.words[kSampleWarps];
        u64 bits = mix(mix(p.seeds[row]) + 0x9e3779b97f4a7c15ull * u64(p.indices[row] + 1)) >> 11;
        u64 target = __umul64hi(bits << 11, all);
        if (target >= before && target < before + mine) {
            for (int id = begin; id < end; id++) {
                before += left(logits[id]);
                if (before > target) { desk.chosen = id; break; }
            }
        }
        __syncthreads();
        return desk.chosen;
    }
    template <class Measure> __device__ u64 total(Measure measure) {
        u64 mine = 0;
        for (int id = begin; id < end; id++) mine += measure(logits[id]);
        return sum_all(mine);
    }
};

}  // namespace

extern "C" __global__ void __launch_bounds__(kSampleWarps * 32) moebius_sample_rows(const __grid_constant__ moebius_sample p) {
    __shared__ Desk desk;
    pdl_wait();
    pdl_launch_dependents();
    Row(p, desk).run();
}
