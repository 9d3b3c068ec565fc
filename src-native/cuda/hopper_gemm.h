/* A product by wgmma on Hopper: weights on the M side (64 rows per warpgroup), tokens on the N side (BN), so that few tokens waste
   nothing and skinny and wide tiles sum alike. Groups warpgroups multiply; Producers threads fill a ring of stages:
     stage = Groups * Mats units of weights (8 KB each, one bulk copy: they lie packed and swizzled) | BN rows x 128 bytes of x
     (cp.async, gathered by source row, swizzled alike) | BN scales of x for this block of K.
   full[s] gets one arrival per producer thread after its copies are visible to wgmma, one of the thread that awaits the weights'
   bytes; empty[s] one arrival per multiplying warp. Phases run on over tiles. */
#pragma once
#include "epilogue.h"

MOEBIUS_BOTH constexpr int hopper_stage_bytes(int tokens, int units) { return units * kUnit + tokens * kUnitRowBytes; }
/* Ring, then scales of x per stage, then barriers, then a word. 1024 bytes of slack are not needed: dynamic memory is aligned. */
MOEBIUS_BOTH constexpr int hopper_shared_bytes(int tokens, int units, int stages) {
    return stages * (hopper_stage_bytes(tokens, units) + tokens * 4 + 16) + 16;
}

/* Paired: with two groups, group 0 multiplies the strip of the gate and group 1 that of up. Otherwise group g has strip
   Groups * tile.strip + g. Spread: the parts of K go to different blocks and are summed by the last one, in order. */
template <int BN, int Mats, int Groups, int Producers, int Stages, bool Paired, bool Spread> struct HopperGemm {
    static constexpr int kR = BN / 2;
    static constexpr int kUnits = Groups * Mats;
    static constexpr int kStage = hopper_stage_bytes(BN, kUnits);
    static constexpr int kMath = Groups * 128;
    static constexpr int kThreads = kMath + Producers;
    static constexpr int kTileRows = (Paired ? 1 : Groups) * kStrip;
    static constexpr int kLag = Stages / 2; /* copies of x in flight */
    /* Of three warpgroups, which share what the block is launched with: 168 for each of 384 threads. More would be waited for forever. */
    static constexpr int kProducerRegisters = Paired ? 56 : 72, kMathRegisters = Paired ? 224 : 216;
    static_assert(kProducerRegisters + 2 * kMathRegisters <= 3 * 168, "registers");
    static_assert(kStage % 1024 == 0 && kLag >= 1 && BN * 8 % Producers == 0 && !(Spread && Groups > 1), "tile");

    const moebius_gemm &p;
    std::uint8_t *shared;
    std::uint32_t base;
    ExpertEnds ends;
    int thread, blocks, strips, per_split;
    bool along_k;

    __device__ HopperGemm(const moebius_gemm &p, std::uint8_t *shared, int *ends)
        : p(p), shared(shared), base(shared_address(shared)), ends{p, ends}, thread(threadIdx.x), blocks(ceil_div(p.k, 128)),
          strips(ceil_div(p.n, kStrip)), per_split(ceil_div(blocks, p.k_splits)), along_k(scaled_along_k(p)) {}

    __device__ float *token_scales(int stage) { return reinterpret_cast<float *>(shared + Stages * kStage) + stage * BN; }
    __device__ std::uint32_t full(int stage) { return base + Stages * (kStage + BN * 4) + stage * 8; }
    __device__ std::uint32_t empty(int stage) { return full(Stages + stage); }
    __device__ int *word() { return reinterpret_cast<int *>(shared + Stages * (kStage + BN * 4 + 16)); }

    struct Work { GemmTile tile; int number, split, begin, end; };
    /* Item i of this block's work: a tile, or with Spread one part of its K. */
    __device__ bool find(int i, Work &work) {
        int parts = Spread ? p.k_splits : 1;
        work.number = i / parts;
        work.split = i % parts;
        work.begin = Spread ? work.split * per_split : 0;
        work.end = Spread && work.begin + per_split < blocks ? work.begin + per_split : blocks;
        return find_tile(work.number, ends.offsets(), p.rows, p.experts, ceil_div(p.n, kTileRows), BN, p.raster, work.tile);
    }

    /* Unit u of the tile; a strip beyond n is read from the last one and not stored. */
    __device__ const std::uint8_t *unit(const GemmTile &tile, int u, int kb) {
        int group = u / Mats, strip = Paired ? tile.strip : tile.strip * Groups + group;
        bool second = Paired ? group == 1 : u % Mats == 1;
        return (second ? p.up : p.weights) + unit_offset(tile.expert, strip < strips ? strip : strips - 1, kb, strips, blocks);
    }
    __device__ void request_weights(const GemmTile &tile, int kb, int stage, std::uint64_t policy) {
        mbarrier_arrive_expect(full(stage), kUnits * kUnit);
#pragma unroll
        for (int u = 0; u < kUnits; u++) copy_bulk(base + stage * kStage + u * kUnit, unit(tile, u, kb), kUnit, full(stage), policy);
    }
    /* Fills the ring with weights before the kernel before this one is done; how many stages. */
    __device__ int request_first() {
        Work work;
        if (!find(blockIdx.x, work)) return 0;
        int count = min(Stages, work.end - work.begin);
        for (int stage = 0; stage < count; stage++) request_weights(work.tile, work.begin + stage, stage, evict_first_policy());
        return count;
    }

    __device__ void arrive_full(int stage) {
        proxy_fence();
        mbarrier_arrive(full(stage));
    }

    /* The first `requested` stages have been asked for their weights. */
    __device__ void produce(int requested) {
        constexpr int kRows = BN * 8 / Producers; /* of x per thread: rows first + i * Producers / 8 */
        int t = thread - kMath, byte = t % 8 * 16;
        std::uint64_t policy = evict_first_policy();
        const std::uint8_t *x = static_cast<const std::uint8_t *>(p.x);
        int count = 0; /* stages issued */
        Work work;
        for (int item = blockIdx.x; find(item, work); item += gridDim.x) {
            unsigned from[kRows]; /* this thread's chunks of x, counted in 16 bytes: half the registers of pointers; none beyond the tile's rows */
            constexpr unsigned kNone = ~0u;
#pragma unroll
            for (int i = 0; i < kRows; i++) {
                int row = t / 8 + i * (Producers / 8);
                from[i] = row < work.tile.count
                    ? unsigned((source_row(p, work.tile.first + row) * p.x_pitch_bytes + work.begin * kUnitRowBytes + byte) / 16) : kNone;
            }
            for (int kb = work.begin; kb < work.end; kb++, count++) {
                int stage = count % Stages;
                std::uint32_t at = base + stage * kStage;
                mbarrier_wait(empty(stage), count / Stages % 2 ^ 1);
                if (t == 0 && count >= requested) request_weights(work.tile, kb, stage, policy);
#pragma unroll
                for (int i = 0; i < kRows; i++) {
                    bool valid = from[i] != kNone;
                    copy_async_16(at + kUnits * kUnit + swizzled(t / 8 + i * (Producers / 8), byte), x + (valid ? std::int64_t(from[i]) * 16 : 0), valid);
                    if (valid) from[i] += kUnitRowBytes / 16;
                }
                if (along_k) {
                    for (int row = t; row < BN; row += Producers)
                        token_scales(stage)[row] = row < work.tile.count
                            ? scale_at(p.x_scales, 0, source_row(p, work.tile.first + row), kb * 128, p.k) : 0;
                }
                copy_async_commit();
                if (count >= kLag) {
                    copy_async_wait<kLag>();
                    arrive_full((count - kLag) % Stages);
                }
            }
        }
        copy_async_wait<0>();
        for (int late = count < kLag ? 0 : count - kLag; late < count; late++) arrive_full(late % Stages);
    }

    __device__ void consume() {
        int group = thread / 128, lane = thread % 32, warp = thread / 32 % 4;
        int count = 0;
        Work work;
        for (int item = blockIdx.x; find(item, work); item += gridDim.x) {
            int strip = Paired ? work.tile.strip : work.tile.strip * Groups + group;
            int row = strip * kStrip + warp * 16 + lane / 4;
            float acc[Mats][kR] = {}, total[Mats][kR] = {};
            for (int kb = work.begin; kb < work.end; kb++, count++) {
                int stage = count % Stages;
                mbarrier_wait(full(stage), count / Stages % 2);
                float part[Mats][kR];
                multiply(base + stage * kStage, group, part);
                promote(p, Paired && group == 1 ? p.up_scales : p.weight_scales, work.tile, row, lane, kb * 128, along_k, token_scales(stage),
                        part, acc);
                __syncwarp();
                if (lane == 0) mbarrier_arrive(empty(stage));
                if ((kb + 1) % per_split == 0 || kb + 1 == blocks) fold(kb < per_split || Spread, acc, total);
            }
            if (Spread) {
                if (!sum_parts(work, total)) continue;
            }
            if (Paired) store_paired(work.tile, row, lane, group, total);
            else store_tile(p, work.tile, row, lane, total);
        }
    }

    __device__ void multiply(std::uint32_t at, int group, float (&part)[Mats][kR]) {
        std::uint64_t b = swizzled_descriptor(at + kUnits * kUnit);
        wgmma_fence();
#pragma unroll
        for (int m = 0; m < Mats; m++) {
            std::uint64_t a = swizzled_descriptor(at + (group * Mats + m) * kUnit);
#pragma unroll
            for (int step = 0; step < 4; step++) wgmma_e4m3<BN>(part[m], a + step * 2, b + step * 2, step > 0);
        }
        wgmma_commit();
        wgmma_wait<0>();
#pragma unroll
        for (int m = 0; m < Mats; m++) wgmma_results(part[m]);
    }

    /* True for the last block of a tile to arrive, which then has the sum of all parts in ascending order. */
    __device__ bool sum_parts(const Work &work, float (&total)[Mats][kR]) {
        float *mine = p.partials + std::int64_t(work.number * p.k_splits) * Mats * kR * 128 + thread;
#pragma unroll
        for (int m = 0; m < Mats; m++)
#pragma unroll
            for (int i = 0; i < kR; i++) mine[((work.split * Mats + m) * kR + i) * 128] = total[m][i];
        __threadfence();
        named_barrier(1, kMath);
        if (thread == 0) {
            *word() = atomicAdd(&p.tickets[work.number], 1);
            if (*word() == p.k_splits - 1) p.tickets[work.number] = 0;
        }
        named_barrier(1, kMath);
        bool last = *word() == p.k_splits - 1;
        named_barrier(1, kMath);
        if (!last) return false;
        __threadfence();
        for (int s = 0; s < p.k_splits; s++)
#pragma unroll
            for (int m = 0; m < Mats; m++)
#pragma unroll
                for (int i = 0; i < kR; i++) {
                    float v = mine[((s * Mats + m) * kR + i) * 128];
                    total[m][i] = s == 0 ? v : __fadd_rn(total[m][i], v);
                }
        return true;
    }

    /* Group 1 hands its results for up to group 0 through shared memory behind the ring, which the producers keep filling. */
    __device__ void store_paired(const GemmTile &tile, int row, int lane, int group, float (&total)[Mats][kR]) {
        float *desk = reinterpret_cast<float *>(shared + hopper_shared_bytes(BN, kUnits, Stages)) + thread % 128;
        if (group == 1) {
#pragma unroll
            for (int i = 0; i < kR; i++) desk[i * 128] = total[0][i];
        }
        named_barrier(1, kMath);
        if (group == 0) {
            bool scaled = !along_k;
            std::int64_t start = std::int64_t(tile.expert) * p.scales_per_expert;
#pragma unroll
            for (int i = 0; i < kR; i++) {
                int r = row + fragment_row(i), token = fragment_token(i, lane);
                if (r >= p.n || token >= tile.count) continue;
                int position = tile.first + token;
                float v = total[0][i], up = desk[i * 128];
                if (scaled) {
                    float sx = scale_at(p.x_scales, 0, source_row(p, position), 0, p.k);
                    v = v * scale_at(p.weight_scales, start, r, 0, p.k) * sx;
                    up = up * scale_at(p.up_scales, start, r, 0, p.k) * sx;
                }
                store_result(p, position, r, v, up);
            }
        }
        named_barrier(1, kMath);
    }

    __device__ void run() {
        if (thread == 0) {
            for (int s = 0; s < Stages; s++) {
                mbarrier_init(full(s), Producers + 1);
                mbarrier_init(empty(s), Groups * 4);
            }
            mbarrier_init_fence();
        }
        bool early = ends.known_early();
        if (early) ends.load();
        __syncthreads();
        int requested = early && thread == kMath ? request_first() : 0;
        pdl_wait();
        pdl_launch_dependents();
        if (!early) {
            ends.load();
            __syncthreads();
        }
        if (thread >= kMath) {
            if (Producers == 128) registers_give<kProducerRegisters>();
            produce(requested);
        } else {
            if (Producers == 128) registers_take<kMathRegisters>();
            consume();
        }
    }
};

#if MOEBIUS_HOPPER
#define MOEBIUS_HOPPER_BODY(...)             \
    MOEBIUS_DYNAMIC_SHARED(shared);          \
    __shared__ int ends[kExpertsAtOnce + 1]; \
    HopperGemm<__VA_ARGS__>(p, shared, ends).run();
#else
#define MOEBIUS_HOPPER_BODY(...)
#endif
#define MOEBIUS_HOPPER_GEMM(name, threads, ...)                                                          \
    extern "C" __global__ void __launch_bounds__(threads, 1) name(const __grid_constant__ moebius_gemm p) { \
        MOEBIUS_HOPPER_BODY(__VA_ARGS__)                                                                 \
    }
