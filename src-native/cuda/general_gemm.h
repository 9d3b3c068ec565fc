/* A product by mma.sync with cp.async stages: the correct path of every GPU. One block of 128 threads does a tile of 64 weight rows
   by BN tokens; warp w has weight rows 16 w .. 16 w + 15. Per block of K (128 bytes of a weight row) 4 steps of 32 bytes. */
#pragma once
#include "epilogue.h"

enum class Operands { kE4m3, kBf16, kE4m3OverBf16 }; /* weights (over activations, where they differ) */

constexpr int kGeneralThreads = 128;
constexpr int kGeneralStages = 3;

MOEBIUS_BOTH constexpr int general_stage_bytes(int tokens, int mats, int slabs) {
    return mats * kUnit + slabs * tokens * kUnitRowBytes + tokens * 4;
}

template <int BN, int Mats, Operands Kind> struct GeneralGemm {
    static constexpr int kSlabs = Kind == Operands::kE4m3OverBf16 ? 2 : 1; /* of 128 bytes of x per block of K */
    static constexpr int kElements = Kind == Operands::kBf16 ? 64 : 128;   /* of K per block */
    static constexpr int kStage = general_stage_bytes(BN, Mats, kSlabs);
    static constexpr int kX = Mats * kUnit, kScales = kX + kSlabs * BN * kUnitRowBytes;
    static constexpr int kR = BN / 2;

    const moebius_gemm &p;
    std::uint8_t *shared;
    std::uint32_t base;
    ExpertEnds ends;
    int thread, lane, warp, blocks, strips;
    bool along_k;

    __device__ GeneralGemm(const moebius_gemm &p, std::uint8_t *shared, int *ends)
        : p(p), shared(shared), base(shared_address(shared)), ends{p, ends}, thread(threadIdx.x), lane(thread % 32), warp(thread / 32),
          blocks(ceil_div(p.k, kElements)), strips(ceil_div(p.n, kStrip)), along_k(scaled_along_k(p)) {}

    __device__ int *sources() { return reinterpret_cast<int *>(shared + kGeneralStages * kStage); }

    /* Starts the copies of block kb of K: of its weights, and of x. */
    __device__ void issue(const GemmTile &tile, int kb) {
        issue_weights(tile, kb);
        issue_x(kb);
    }
    __device__ void issue_weights(const GemmTile &tile, int kb) {
        std::uint32_t stage = base + kb % kGeneralStages * kStage;
#pragma unroll
        for (int m = 0; m < Mats; m++) {
            const std::uint8_t *unit = (m == 0 ? p.weights : p.up) + unit_offset(tile.expert, tile.strip, kb, strips, blocks);
#pragma unroll
            for (int c = thread; c < kUnit / 16; c += kGeneralThreads) copy_async_16(stage + m * kUnit + c * 16, unit + c * 16, true);
        }
    }
    __device__ void issue_x(int kb) {
        std::uint32_t stage = base + kb % kGeneralStages * kStage;
        const std::uint8_t *x = static_cast<const std::uint8_t *>(p.x);
#pragma unroll 2 /* the sums leave few registers */
        for (int c = thread; c < kSlabs * BN * 8; c += kGeneralThreads) {
            int slab = c / (BN * 8), row = c / 8 % BN, byte = c % 8 * 16;
            int source = sources()[row];
            const std::uint8_t *from = x + (source < 0 ? 0 : source * p.x_pitch_bytes) + (kb * kSlabs + slab) * kUnitRowBytes + byte;
            copy_async_16(stage + kX + slab * BN * kUnitRowBytes + swizzled(row, byte), from, source >= 0);
        }
        if (along_k && thread < BN) {
            int source = sources()[thread];
            reinterpret_cast<float *>(shared + kb % kGeneralStages * kStage + kScales)[thread] =
                source < 0 ? 0 : scale_at(p.x_scales, 0, source, kb * kElements, p.k);
        }
    }

    __device__ void multiply(std::uint32_t stage, float (&part)[Mats][kR]) {
        int matrix = lane / 8;
        int a_row = warp * 16 + matrix % 2 * 8 + lane % 8, b_row = matrix / 2 * 8 + lane % 8;
#pragma unroll
        for (int step = 0; step < 4; step++) {
            unsigned a[Mats][4];
#pragma unroll
            for (int m = 0; m < Mats; m++)
                load_matrix_x4(a[m], stage + m * kUnit + swizzled(a_row, step * 32 + matrix / 2 * 16));
#pragma unroll
            for (int j = 0; j < BN / 8; j += 2) {
                if constexpr (Kind == Operands::kE4m3OverBf16) {
                    over_bf16(stage + kX, step, j, a, part);
                    over_bf16(stage + kX, step, j + 1, a, part);
                } else {
                    unsigned b[4];
                    load_matrix_x4(b, stage + kX + swizzled(j * 8 + b_row, step * 32 + matrix % 2 * 16));
                    unsigned low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
#pragma unroll
                    for (int m = 0; m < Mats; m++) {
                        multiply(fragment(part[m], j), a[m], low);
                        multiply(fragment(part[m], j + 1), a[m], high);
                    }
                }
            }
        }
    }

    __device__ static float (&fragment(float (&part)[kR], int j))[4] { return reinterpret_cast<float(&)[4]>(part[j * 4]); }

    __device__ static void multiply(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
        if constexpr (Kind == Operands::kE4m3) mma_e4m3(c, a, b); else mma_bf16(c, a, b);
    }

    /* Four neighbouring codes of a register are channels 4 t .. 4 t + 3; as the pairs (2 t, 2 t + 1) and (2 t + 8, 2 t + 9) of an
       m16n8k16 they need the same four channels of x: the order of K within a product is free. */
    __device__ void over_bf16(std::uint32_t x, int step, int j, const unsigned (&a)[Mats][4], float (&part)[Mats][kR]) {
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int channel = step * 32 + half * 16 + lane % 4 * 4;
            int offset = channel / 64 * BN * kUnitRowBytes + swizzled(j * 8 + lane / 4, channel % 64 * 2);
            const uint2 pair = *reinterpret_cast<const uint2 *>(shared + (x - base) + offset);
            unsigned b[2] = {pair.x, pair.y};
#pragma unroll
            for (int m = 0; m < Mats; m++) {
                unsigned low = a[m][half * 2], high = a[m][half * 2 + 1];
                unsigned wide[4] = {to_bf16(low), to_bf16(high), to_bf16(low >> 16), to_bf16(high >> 16)};
                mma_bf16(fragment(part[m], j), wide, b);
            }
        }
    }
    __device__ static unsigned to_bf16(unsigned pair) {
        float2 v = unpack_e4m3(pair & 0xffff);
        return pack_bf16(v.x, v.y);
    }

    /* requested: the weights of the first stages are on their way. */
    __device__ void tile(const GemmTile &tile, bool requested) {
        __syncthreads();
        if (thread < BN) sources()[thread] = thread < tile.count ? source_row(p, tile.first + thread) : -1;
        __syncthreads();
        float acc[Mats][kR] = {}, total[Mats][kR] = {};
        int per_split = ceil_div(blocks, p.k_splits);
        int row = tile.strip * kStrip + warp * 16 + lane / 4;
#pragma unroll
        for (int kb = 0; kb < kGeneralStages - 1; kb++) {
            if (kb < blocks && !requested) issue_weights(tile, kb);
            if (kb < blocks) issue_x(kb);
            copy_async_commit();
        }
        for (int kb = 0; kb < blocks; kb++) {
            copy_async_wait<kGeneralStages - 2>();
            __syncthreads();
            if (kb + kGeneralStages - 1 < blocks) issue(tile, kb + kGeneralStages - 1);
            copy_async_commit();
            int slot = kb % kGeneralStages * kStage;
            float part[Mats][kR] = {};
            multiply(base + slot, part);
            promote(p, p.weight_scales, tile, row, lane, kb * kElements, along_k, reinterpret_cast<const float *>(shared + slot + kScales), part, acc);
            if ((kb + 1) % per_split == 0 || kb + 1 == blocks) fold(kb < per_split, acc, total);
        }
        store_tile(p, tile, row, lane, total);
    }

    __device__ void run() {
        GemmTile found;
        bool early = ends.known_early(), requested = false;
        if (early) {
            ends.load();
            __syncthreads();
            requested = find(blockIdx.x, found);
#pragma unroll
            for (int kb = 0; kb < kGeneralStages - 1; kb++)
                if (requested && kb < blocks) issue_weights(found, kb);
        }
        pdl_wait();
        pdl_launch_dependents();
        if (!early) {
            ends.load();
            __syncthreads();
        }
        for (int t = blockIdx.x; find(t, found); t += gridDim.x, requested = false) tile(found, requested);
    }
    __device__ bool find(int t, GemmTile &found) const {
        return find_tile(t, ends.offsets(), p.rows, p.experts, strips, BN, p.raster, found);
    }
};

#define MOEBIUS_GENERAL_GEMM(name, tokens, mats, kind)                                                                        \
    extern "C" __global__ void __launch_bounds__(kGeneralThreads, 2) name(const __grid_constant__ moebius_gemm p) {            \
        MOEBIUS_DYNAMIC_SHARED(shared);                                                                                        \
        __shared__ int ends[kExpertsAtOnce + 1];                                                                               \
        GeneralGemm<tokens, mats, kind>(p, shared, ends).run();                                                                \
    }
