/* Angles: factor times cosine and sine of position * frequencies[i], in double precision, once per step, a thread each. Rotation: per head of query and key
   v + bias, RMSNorm over the head (Qwen3), then the pairs (i, i + head_dim / 2) turned by their angle (Su et al. 2021); heads are padded
   with zeros to padded_dim, key and value go to the paged cache. A warp per head, 8 to a block, 128 pairs at a time; layout: moebius_cuda.h.
   Bound: latency (bytes of qkv). Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>

#include "layout.h"
#include "reduce.h"

constexpr int kPairs = 128, kLanePairs = kPairs / 32, kHeadsPerBlock = 8;

extern "C" __global__ void __launch_bounds__(MOEBIUS_ANGLE_PAIRS) moebius_turn_angles(const __grid_constant__ moebius_angles p) {
    pdl_wait();
    pdl_launch_dependents();
    int token = blockIdx.x, i = p.first + threadIdx.x;
    if (i >= p.pairs) return;
    double angle = p.positions[token] * p.frequencies[threadIdx.x];
    float *turn = p.turns + (std::int64_t(token) * p.pairs + i) * 2;
    turn[0] = float(p.factor * cos(angle));
    turn[1] = float(p.factor * sin(angle));
}

/* Channels i and half + i of one head, for i = first + lane + 32 j. */
struct HeadChannels { float low[kLanePairs], high[kLanePairs]; };

__device__ __forceinline__ HeadChannels load_head(const moebius_rope &p, int token, int head, int first) {
    const std::uint16_t *from = p.qkv + token * p.qkv_pitch + head * p.head_dim;
    const float *bias = p.bias ? p.bias + head * p.head_dim : nullptr;
    int half = p.head_dim / 2;
    HeadChannels v;
#pragma unroll
    for (int j = 0; j < kLanePairs; j++) {
        int i = first + 32 * j;
        v.low[j] = i < half ? from_bf16(from[i]) : 0;
        v.high[j] = i < half ? from_bf16(from[i + half]) : 0;
        if (bias && i < half) {
            v.low[j] = __fadd_rn(v.low[j], bias[i]);
            v.high[j] = __fadd_rn(v.high[j], bias[i + half]);
        }
    }
    return v;
}

__device__ __forceinline__ float add_squares(float squares, const HeadChannels &v) {
#pragma unroll
    for (int j = 0; j < kLanePairs; j++) squares = __fadd_rn(squares, __fadd_rn(__fmul_rn(v.low[j], v.low[j]), __fmul_rn(v.high[j], v.high[j])));
    return squares;
}

__device__ __forceinline__ void normalize_head(const float *weight, float inverse, int half, int first, HeadChannels &v) {
#pragma unroll
    for (int j = 0; j < kLanePairs; j++) {
        int i = first + 32 * j;
        if (i >= half) continue;
        v.low[j] = __fmul_rn(__fmul_rn(v.low[j], inverse), weight[i]);
        v.high[j] = __fmul_rn(__fmul_rn(v.high[j], inverse), weight[i + half]);
    }
}

__device__ __forceinline__ void turn_head(const float *turns, int half, int first, HeadChannels &v) {
#pragma unroll
    for (int j = 0; j < kLanePairs; j++) {
        int i = first + 32 * j;
        if (i >= half) continue;
        float cosine = turns[2 * i], sine = turns[2 * i + 1], a = v.low[j], b = v.high[j];
        v.low[j] = __fadd_rn(__fmul_rn(a, cosine), -__fmul_rn(b, sine));
        v.high[j] = __fadd_rn(__fmul_rn(b, cosine), __fmul_rn(a, sine));
    }
}

extern "C" __global__ void __launch_bounds__(32 * kHeadsPerBlock) moebius_rope_store(const __grid_constant__ moebius_rope p) {
    pdl_wait();
    pdl_launch_dependents();
    int lane = threadIdx.x % 32, token = blockIdx.x, head = blockIdx.y * kHeadsPerBlock + threadIdx.x / 32, half = p.head_dim / 2;
    if (head >= p.heads + 2 * p.kv_heads) return;
    bool query = head < p.heads, value = head >= p.heads + p.kv_heads;
    HeadChannels v = load_head(p, token, head, lane);

    std::uint16_t *wide = p.query + (std::int64_t(token) * p.heads + head) * p.padded_dim;
    std::uint8_t *codes = nullptr;
    float scale = value ? p.value_scale : p.key_scale;
    if (!query) {
        int position = p.positions[token], kv_head = head - p.heads - (value ? p.kv_heads : 0);
        std::int64_t block = p.tables[p.table_offsets[p.sequences[token]] + position / kBlockTokens];
        std::int64_t at = ((block * p.kv_heads + kv_head) * kBlockTokens + position % kBlockTokens) * p.padded_dim;
        void *cache = value ? p.values : p.keys;
        if (p.cache_type == MOEBIUS_CUDA_E4M3) codes = static_cast<std::uint8_t *>(cache) + at;
        else wide = static_cast<std::uint16_t *>(cache) + at;
    }
    auto store = [&](int d, float x) {
        if (codes) codes[d] = to_e4m3_bits(x / scale);
        else wide[d] = to_bf16_bits(x);
    };

    const float *weight = value ? nullptr : query ? p.query_norm : p.key_norm;
    float inverse = 1;
    if (weight) {
        float squares = add_squares(0, v);
        for (int first = kPairs; first < half; first += kPairs) squares = add_squares(squares, load_head(p, token, head, first + lane));
        inverse = rsqrt_(warp_sum(squares) / float(p.head_dim) + p.epsilon);
    }
    for (int first = 0;;) {
        if (weight) normalize_head(weight, inverse, half, first + lane, v);
        if (!value) turn_head(p.turns + std::int64_t(token) * p.head_dim, half, first + lane, v);
#pragma unroll
        for (int j = 0; j < kLanePairs; j++) {
            int i = first + lane + 32 * j;
            if (i >= half) continue;
            store(i, v.low[j]);
            store(i + half, v.high[j]);
        }
        first += kPairs;
        if (first >= half) break;
        v = load_head(p, token, head, first + lane);
    }
    for (int d = p.head_dim + lane; d < p.padded_dim; d += 32) store(d, 0);
}
