/* Chunks of queries over paged history: block (tile of 128 query rows, kv head). A row is one query head of one token: row r of a tile
   is token first + r / group, head kv_head * group + r % group; warp w has rows 16 w .. 16 w + 15, keys and values are shared by all.
   Recipe and tiles: attention.h; layout: moebius_cuda.h. Bound: flops of the 16-bit tensor cores.
   Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include "attention.h"

constexpr int kPrefillThreads = 256; /* 16 query rows a warp */

template <int Dim, bool E4m3> struct Prefill {
    using Tiles = AttentionTiles<Dim, E4m3, kPrefillThreads>;
    static constexpr int kSlices = Dim / 16;

    struct Place { int token, head; };
    /* Of row lane / 4 + 8 h of this warp; token -1 for rows that are none. */
    __device__ static Place locate(const moebius_attend &p, const Queries &queries, int per_tile, int h) {
        int row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 + 8 * h, group = p.heads / p.kv_heads;
        int token = queries.first + row / group;
        return {row < per_tile * group && token < queries.end ? token : -1, int(blockIdx.y) * group + row % group};
    }

    /* Rows lane / 4 and lane / 4 + 8 of a thread, and what the splits before gave. In shared memory: the sums leave no registers. */
    struct Rows { Place place[2]; int position[2]; Running joined; };

    __device__ static void run(const moebius_attend &p, std::uint8_t *shared) {
        pdl_wait();
        pdl_launch_dependents();
        int group = p.heads / p.kv_heads, per_tile = kQueryRows / group;
        Queries queries;
        if (!find_queries(p, blockIdx.x, per_tile, queries)) return;
        int lane = threadIdx.x % 32;
        int last = p.positions[queries.end - 1], start = first_seen(p, p.positions[queries.first]);
        __shared__ CachedRange range;
        Tiles tiles(p, shared, range, queries.sequence, blockIdx.y, start, last + 1);

        __shared__ Rows all_rows[kPrefillThreads];
        Rows &rows = all_rows[threadIdx.x];
        rows.joined = Running();
        const std::uint16_t *query[2];
        for (int h = 0; h < 2; h++) {
            Place &place = rows.place[h] = locate(p, queries, per_tile, h);
            query[h] = place.token >= 0 ? p.query + (std::int64_t(place.token) * p.heads + place.head) * Dim : nullptr;
            rows.position[h] = place.token >= 0 ? p.positions[place.token] : -1;
        }
        unsigned q[kSlices][4];
        Tiles::load_query(query[0], query[1], lane, q);
        float o[kSlices][2][4] = {}, total[kSlices][2][4] = {};
        Running state;

        tiles.load(start / Tiles::kTile);
        copy_async_commit();
        for (int tile = start / Tiles::kTile; tiles.has(tile); tile++) {
            if (Tiles::kBuffers > 1 && tiles.has(tile + 1)) tiles.load(tile + 1);
            copy_async_commit();
            copy_async_wait<1>();
            __syncthreads();
            const std::uint8_t *keys = tiles.ready(tile);
            take(tiles, keys, tile, lane, q, rows.position, state, o);
            if ((tile + 1) * Tiles::kTile % kSplit == 0 || !tiles.has(tile + 1)) join(state, o, rows.joined, total);
            __syncthreads();
            if (Tiles::kBuffers == 1 && tiles.has(tile + 1)) { tiles.load(tile + 1); copy_async_commit(); }
        }
#pragma unroll
        for (int h = 0; h < 2; h++) {
            Place place = rows.place[h];
            if (place.token < 0) continue;
#pragma unroll
            for (int j = 0; j < kSlices; j++)
#pragma unroll
                for (int i = 0; i < 4; i++)
                    store_attended(p, place.token, place.head, j * 16 + i / 2 * 8 + lane % 4 * 2 + i % 2, total[j][i / 2][2 * h + i % 2], rows.joined.sum[h]);
        }
    }

    __device__ static void take(const Tiles &tiles, const std::uint8_t *keys, int tile, int lane, const unsigned (&q)[kSlices][4],
                                const int (&row_position)[2], Running &state, float (&o)[kSlices][2][4]) {
        float s[Tiles::kPairs][2][4];
#pragma unroll
        for (int pair = 0; pair < Tiles::kPairs; pair++) tiles.score(keys, pair, lane, q, tile * Tiles::kTile, row_position, s[pair]);
#pragma unroll
        for (int h = 0; h < 2; h++) {
            float old = state.largest[h];
#pragma unroll
            for (int pair = 0; pair < Tiles::kPairs; pair++) state.largest[h] = fmaxf(state.largest[h], Tiles::largest(s[pair], h));
            float top = finite_or_zero(state.largest[h]), sum = Tiles::weigh(s[0], h, top);
#pragma unroll
            for (int pair = 1; pair < Tiles::kPairs; pair++) sum = __fadd_rn(sum, Tiles::weigh(s[pair], h, top));
            float keep = exp2_fast(__fadd_rn(old, -top));
            state.sum[h] = __fadd_rn(__fmul_rn(state.sum[h], keep), sum);
#pragma unroll
            for (int j = 0; j < kSlices; j++)
#pragma unroll
                for (int i = 0; i < 4; i++) o[j][i / 2][2 * h + i % 2] = __fmul_rn(o[j][i / 2][2 * h + i % 2], keep);
        }
#pragma unroll
        for (int pair = 0; pair < Tiles::kPairs; pair++) {
            unsigned a[4];
            Tiles::as_operand(s[pair], a);
#pragma unroll
            for (int j = 0; j < kSlices; j++) Tiles::add_values(keys, pair, j, lane, a, o[j]);
        }
    }

    __device__ static void join(Running &state, float (&o)[kSlices][2][4], Running &joined, float (&total)[kSlices][2][4]) {
#pragma unroll
        for (int h = 0; h < 2; h++) {
            MergeFactors f = merge(joined.largest[h], joined.sum[h], state.largest[h], state.sum[h]);
#pragma unroll
            for (int j = 0; j < kSlices; j++)
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    float &mine = total[j][i / 2][2 * h + i % 2], &further = o[j][i / 2][2 * h + i % 2];
                    mine = merged(mine, further, f);
                    further = 0;
                }
        }
        state = Running();
    }
};

#define MOEBIUS_PREFILL(name, dim, e4m3)                                                                                  \
    extern "C" __global__ void __launch_bounds__(kPrefillThreads, 1) name(const __grid_constant__ moebius_attend p) {     \
        MOEBIUS_DYNAMIC_SHARED(shared);                                                                                   \
        Prefill<dim, e4m3>::run(p, shared);                                                                               \
    }
MOEBIUS_PREFILL(moebius_prefill_16_bf16, 16, false)
MOEBIUS_PREFILL(moebius_prefill_64_bf16, 64, false)
MOEBIUS_PREFILL(moebius_prefill_128_bf16, 128, false)
MOEBIUS_PREFILL(moebius_prefill_256_bf16, 256, false)
MOEBIUS_PREFILL(moebius_prefill_16_e4m3, 16, true)
MOEBIUS_PREFILL(moebius_prefill_64_e4m3, 64, true)
MOEBIUS_PREFILL(moebius_prefill_128_e4m3, 128, true)
MOEBIUS_PREFILL(moebius_prefill_256_e4m3, 256, true)
