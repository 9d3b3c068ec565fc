/* One query token per row of the grid: block (token, kv head and 16 of its query heads, split of 256 positions) gives unnormalised
   sums; moebius_merge_splits joins the splits in ascending order, where there are several. Recipe and tiles: attention.h; layout: moebius_cuda.h.
   Warp w scores positions 16 w .. of a tile, then adds up channels 16 w, 16 (w + 4), ... of all its positions.
   Bound: bytes of the keys and values. Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include "attention.h"

constexpr int kDecodeThreads = 128, kWeightRow = 144; /* bytes of a row of weights: 64 bf16 and 16 against bank conflicts */

template <int Dim, bool E4m3> struct Decode {
    using Tiles = AttentionTiles<Dim, E4m3, kDecodeThreads>;
    static constexpr int kSlices = Dim / 16, kMine = (kSlices + 3) / 4;

    __device__ static void run(const moebius_attend &p, std::uint8_t *shared) {
        pdl_wait();
        pdl_launch_dependents();
        int token = blockIdx.x, position = p.positions[token], seen = first_seen(p, position), split = seen / kSplit + blockIdx.z;
        if (split * kSplit > position) return;
        int group = p.heads / p.kv_heads, row_tiles = ceil_div(group, 16);
        int kv_head = blockIdx.y / row_tiles, first_head = blockIdx.y % row_tiles * 16;
        int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4;
        __shared__ CachedRange range;
        Tiles tiles(p, shared, range, p.sequences[token], kv_head, seen, position + 1);
        std::uint8_t *weights = shared + attention_bytes(Dim, E4m3);
        float *maxima = reinterpret_cast<float *>(weights + 16 * kWeightRow), *sums = maxima + 64;

        unsigned q[kSlices][4];
        const std::uint16_t *query = p.query + (std::int64_t(token) * p.heads + kv_head * group + first_head) * Dim;
        Tiles::load_query(first_head + g < group ? query + g * Dim : nullptr, first_head + g + 8 < group ? query + (g + 8) * Dim : nullptr, lane, q);
        const int row_position[2] = {position, position};
        float o[kMine][2][4] = {};
        Running state;

        int begin = max(split * kSplit, seen) / Tiles::kTile;
        int end = (split + 1) * kSplit <= position ? (split + 1) * kSplit / Tiles::kTile : position / Tiles::kTile + 1;
        tiles.load(begin);
        copy_async_commit();
        for (int tile = begin; tile < end; tile++) {
            if (Tiles::kBuffers > 1 && tile + 1 < end) tiles.load(tile + 1);
            copy_async_commit();
            copy_async_wait<1>();
            __syncthreads();
            const std::uint8_t *keys = tiles.ready(tile);
            float s[2][4];
            if (warp < Tiles::kPairs) {
                tiles.score(keys, warp, lane, q, tile * Tiles::kTile, row_position, s);
                float low = Tiles::largest(s, 0), high = Tiles::largest(s, 1);
                if (lane % 4 == 0) { maxima[warp * 16 + g] = low; maxima[warp * 16 + g + 8] = high; }
            }
            __syncthreads();
            float old[2], top[2];
            for (int h = 0; h < 2; h++) {
                old[h] = state.largest[h];
                for (int w = 0; w < Tiles::kPairs; w++) state.largest[h] = fmaxf(state.largest[h], maxima[w * 16 + g + 8 * h]);
                top[h] = finite_or_zero(state.largest[h]);
            }
            if (warp < Tiles::kPairs) {
                float low = Tiles::weigh(s, 0, top[0]), high = Tiles::weigh(s, 1, top[1]);
                if (lane % 4 == 0) { sums[warp * 16 + g] = low; sums[warp * 16 + g + 8] = high; }
                unsigned a[4];
                Tiles::as_operand(s, a);
                for (int i = 0; i < 4; i++)
                    *reinterpret_cast<unsigned *>(weights + (g + i % 2 * 8) * kWeightRow + warp * 32 + i / 2 * 16 + lane % 4 * 4) = a[i];
            }
            __syncthreads();
            for (int h = 0; h < 2; h++) {
                float keep = exp2_fast(__fadd_rn(old[h], -top[h])), sum = sums[g + 8 * h];
                for (int w = 1; w < Tiles::kPairs; w++) sum = __fadd_rn(sum, sums[w * 16 + g + 8 * h]);
                state.sum[h] = __fadd_rn(__fmul_rn(state.sum[h], keep), sum);
                for (int j = 0; j < kMine; j++)
                    for (int i = 0; i < 4; i++) o[j][i / 2][2 * h + i % 2] = __fmul_rn(o[j][i / 2][2 * h + i % 2], keep);
            }
            int matrix = lane / 8;
            for (int pair = 0; pair < Tiles::kPairs; pair++) {
                unsigned a[4];
                load_matrix_x4(a, shared_address(weights) + (matrix % 2 * 8 + lane % 8) * kWeightRow + pair * 32 + matrix / 2 * 16);
#pragma unroll
                for (int j = 0; j < kMine; j++)
                    if (warp + 4 * j < kSlices) Tiles::add_values(keys, pair, warp + 4 * j, lane, a, o[j]);
            }
            __syncthreads();
            if (Tiles::kBuffers == 1 && tile + 1 < end) { tiles.load(tile + 1); copy_async_commit(); }
        }
        store(p, kv_head * group + first_head, group - first_head, lane, warp, o, state);
    }

    /* Rows of heads first_head .. first_head + heads - 1. */
    __device__ static void store(const moebius_attend &p, int first_head, int heads, int lane, int warp, const float (&o)[kMine][2][4], const Running &state) {
        for (int h = 0; h < 2; h++) {
            int within = lane / 4 + 8 * h;
            if (within >= heads) continue;
            if (p.max_splits == 1) {
                for (int j = 0; j < kMine; j++)
                    for (int i = 0; i < 4 && warp + 4 * j < kSlices; i++)
                        store_attended(p, blockIdx.x, first_head + within, (warp + 4 * j) * 16 + i / 2 * 8 + lane % 4 * 2 + i % 2, o[j][i / 2][2 * h + i % 2], state.sum[h]);
                continue;
            }
            float *row = p.partials + ((std::int64_t(blockIdx.x) * p.heads + first_head + within) * p.max_splits + blockIdx.z) * (Dim + 2);
            for (int j = 0; j < kMine; j++) {
                if (warp + 4 * j >= kSlices) continue;
                for (int i = 0; i < 4; i++) row[(warp + 4 * j) * 16 + i / 2 * 8 + lane % 4 * 2 + i % 2] = o[j][i / 2][2 * h + i % 2];
            }
            if (warp == 0 && lane % 4 == 0) { row[Dim] = state.largest[h]; row[Dim + 1] = state.sum[h]; }
        }
    }
};

#define MOEBIUS_DECODE(name, dim, e4m3)                                                                                  \
    extern "C" __global__ void __launch_bounds__(kDecodeThreads) name(const __grid_constant__ moebius_attend p) {        \
        MOEBIUS_DYNAMIC_SHARED(shared);                                                                                  \
        Decode<dim, e4m3>::run(p, shared);                                                                               \
    }
MOEBIUS_DECODE(moebius_decode_16_bf16, 16, false)
MOEBIUS_DECODE(moebius_decode_64_bf16, 64, false)
MOEBIUS_DECODE(moebius_decode_128_bf16, 128, false)
MOEBIUS_DECODE(moebius_decode_256_bf16, 256, false)
MOEBIUS_DECODE(moebius_decode_16_e4m3, 16, true)
MOEBIUS_DECODE(moebius_decode_64_e4m3, 64, true)
MOEBIUS_DECODE(moebius_decode_128_e4m3, 128, true)
MOEBIUS_DECODE(moebius_decode_256_e4m3, 256, true)

/* Block (token, head): thread d has channel d, d + 128. */
extern "C" __global__ void __launch_bounds__(128) moebius_merge_splits(const __grid_constant__ moebius_attend p) {
    pdl_wait();
    pdl_launch_dependents();
    int token = blockIdx.x, head = blockIdx.y, position = p.positions[token], row = p.padded_dim + 2;
    const float *from = p.partials + (std::int64_t(token) * p.heads + head) * p.max_splits * row;
    int splits = position / kSplit - first_seen(p, position) / kSplit + 1;
    for (int d = threadIdx.x; d < p.padded_dim; d += 128) {
        float m = -INFINITY, l = 0, o = 0;
        for (int s = 0; s < splits; s++) {
            const float *part = from + s * row;
            MergeFactors f = merge(m, l, part[p.padded_dim], part[p.padded_dim + 1]);
            o = merged(o, part[d], f);
        }
        store_attended(p, token, head, d, o, l);
    }
}
