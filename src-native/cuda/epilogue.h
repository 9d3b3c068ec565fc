/* What a product does with its accumulators. A thread holds R = tile_tokens / 2 of them as the fragment C of mma: number i is weight
   row row + 8 (i / 2 % 2) and token 8 (i / 4) + 2 (lane % 4) + i % 2 of the tile. */
#pragma once
#include <moebius_cuda.h>
#include <ptx.h>

#include "layout.h"

__device__ __forceinline__ int fragment_row(int i) { return i / 2 % 2 * 8; }
__device__ __forceinline__ int fragment_token(int i, int lane) { return i / 4 * 8 + 2 * (lane % 4) + i % 2; }

__device__ __forceinline__ float scale_at(const moebius_scales &s, std::int64_t expert_start, int row, int column, int columns) {
    if (s.values == nullptr) return 1;
    int per_row = s.block_columns >= columns ? 1 : ceil_div(columns, s.block_columns);
    return s.values[expert_start + std::int64_t(row / s.block_rows) * per_row + column / s.block_columns];
}

/* Whether scales change along K, so that they must be applied while summing. */
__device__ __forceinline__ bool scaled_along_k(const moebius_gemm &p) {
    return (p.weight_scales.values && p.weight_scales.block_columns < p.k) || (p.x_scales.values && p.x_scales.block_columns < p.k);
}

__device__ __forceinline__ int source_row(const moebius_gemm &p, int position) { return p.sources ? p.sources[position] : position; }

/* The ends of the experts' rows, in shared memory. Read from the L2: an L1 may hold those of an earlier step. */
struct ExpertEnds {
    const moebius_gemm &p;
    int *copy;

    __device__ const int *offsets() const { return p.offsets ? copy : nullptr; } /* NULL: one matrix */
    /* Whether they are complete before the kernel before this one is: where x lies sorted by them, its writer waited for them. Weights are
       nobody's output, so then the first of them can be requested early. */
    __device__ bool known_early() const { return !p.offsets || !p.sources; }
    __device__ void load() {
        if (!p.offsets) return;
        for (int e = threadIdx.x; e <= p.experts; e += blockDim.x) copy[e] = __ldcg(p.offsets + e);
    }
};

__device__ __forceinline__ float silu(float v) { return v / (1.0f + exp_exact(-v)); }

__device__ __forceinline__ void store_result(const moebius_gemm &p, int position, int row, float v, float up) {
    std::int64_t at = position * p.out_pitch + row;
    switch (p.epilogue) {
        case MOEBIUS_STORE_F32: static_cast<float *>(p.out)[at] = v; break;
        case MOEBIUS_STORE_BF16: static_cast<std::uint16_t *>(p.out)[at] = to_bf16_bits(v); break;
        case MOEBIUS_ADD_F32: static_cast<float *>(p.out)[at] += v; break;
        case MOEBIUS_SWIGLU_BF16: static_cast<std::uint16_t *>(p.out)[at] = to_bf16_bits(silu(v) * up); break;
        case MOEBIUS_SWIGLU_E4M3: static_cast<std::uint8_t *>(p.out)[at] = to_e4m3_bits(silu(v) * up / p.out_scale); break;
    }
}

/* Scales (unless they were applied along K) and stores the accumulators of weight rows row and row + 8. */
template <int R, int Mats>
__device__ __forceinline__ void store_tile(const moebius_gemm &p, const GemmTile &tile, int row, int lane, float (&acc)[Mats][R]) {
    bool along_k = scaled_along_k(p);
    std::int64_t start = std::int64_t(tile.expert) * p.scales_per_expert;
#pragma unroll
    for (int i = 0; i < R; i++) {
        int r = row + fragment_row(i), token = fragment_token(i, lane);
        if (r >= p.n || token >= tile.count) continue;
        int position = tile.first + token;
        float v = acc[0][i], up = Mats == 2 ? acc[Mats - 1][i] : 0;
        if (!along_k) {
            float sx = scale_at(p.x_scales, 0, source_row(p, position), 0, p.k);
            v = v * scale_at(p.weight_scales, start, r, 0, p.k) * sx;
            if (Mats == 2) up = up * scale_at(p.up_scales, start, r, 0, p.k) * sx;
        }
        store_result(p, position, r, v, up);
    }
}

/* acc += part, each times the scales of its weight row and token in this block of K (token_scales: of the tile, for
   this block; first: of the first matrix of weights). */
template <int R, int Mats>
__device__ __forceinline__ void promote(const moebius_gemm &p, const moebius_scales &first, const GemmTile &tile, int row, int lane, int k, bool along_k,
                                        const float *token_scales, const float (&part)[Mats][R], float (&acc)[Mats][R]) {
#pragma unroll
    for (int m = 0; m < Mats; m++) {
        if (!along_k) {
#pragma unroll
            for (int i = 0; i < R; i++) acc[m][i] = __fadd_rn(acc[m][i], part[m][i]);
            continue;
        }
        const moebius_scales &scales = m == 0 ? first : p.up_scales;
        std::int64_t start = std::int64_t(tile.expert) * p.scales_per_expert;
        float low = row < p.n ? scale_at(scales, start, row, k, p.k) : 0;
        float high = row + 8 < p.n ? scale_at(scales, start, row + 8, k, p.k) : 0;
#pragma unroll
        for (int i = 0; i < R; i++) {
            float factor = __fmul_rn(fragment_row(i) ? high : low, token_scales[fragment_token(i, lane)]);
            acc[m][i] = __fadd_rn(acc[m][i], __fmul_rn(part[m][i], factor));
        }
    }
}

/* total = total + acc, acc = 0; the first part of K makes the total. */
template <int R, int Mats> __device__ __forceinline__ void fold(bool first, float (&acc)[Mats][R], float (&total)[Mats][R]) {
#pragma unroll
    for (int m = 0; m < Mats; m++) {
#pragma unroll
        for (int i = 0; i < R; i++) {
            total[m][i] = first ? acc[m][i] : __fadd_rn(total[m][i], acc[m][i]);
            acc[m][i] = 0;
        }
    }
}
