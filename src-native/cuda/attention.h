/* Paged causal attention: what decode and prefill share, so that they give the same bits. Per row of queries, positions are taken in
   tiles (64, or 32 above a head dim of 128) counted from 0, with an online softmax in base 2 (Milakov and Gimelshein 2018; Dao 2023);
   every 256 positions (a split) start anew and splits are merged in ascending order. Sums of a tile run over groups of 16 positions.

   Row r of a tile of 16 query rows lies in the fragment C of mma: thread lane has rows lane / 4 and lane / 4 + 8.
   Shared memory: keys and values of a tile as bf16 rows of Dim * 2 + 16 bytes (the 16 keep ldmatrix free of bank conflicts);
   e4m3 caches are copied as they are and widened there. */
#pragma once
#include <moebius_cuda.h>

#include "layout.h"
#include "reduce.h"

constexpr int kSplit = 256;
MOEBIUS_BOTH constexpr int attention_tile(int dim) { return dim > 128 ? 32 : 64; }
/* Buffers of raw tiles: two where they fit in the 99 KB of the smallest GPU. */
MOEBIUS_BOTH constexpr int attention_buffers(int dim) { return dim > 128 ? 1 : 2; }
MOEBIUS_BOTH constexpr int attention_tile_bytes(int dim, int element) { return 2 * attention_tile(dim) * (dim * element + 16); }
MOEBIUS_BOTH constexpr int attention_bytes(int dim, bool e4m3) {
    return attention_buffers(dim) * attention_tile_bytes(dim, e4m3 ? 1 : 2) + (e4m3 ? attention_tile_bytes(dim, 2) : 0);
}

/* A ring of stages of one tile of 64 keys or values as bf16, e4m3 codes on their way, two barriers per stage. */
constexpr int kHopperPrefillStages = 8, kHopperDecodeStages = 5;
MOEBIUS_BOTH constexpr int hopper_attention_bytes(int dim, bool e4m3, int stages) {
    return stages * (64 * dim * 2 + 16) + (e4m3 ? (stages / 2 + 1) * 64 * dim : 0);
}

constexpr int kQueryRows = 128; /* of a block of prefill */
struct Queries { int sequence, first, end; }; /* tokens first .. end - 1 */
/* The tile-th run of at most per_tile tokens of one sequence; false if there are fewer. */
__device__ __forceinline__ bool find_queries(const moebius_attend &p, int tile, int per_tile, Queries &queries) {
    for (int first = 0; first < p.tokens;) {
        int sequence = p.sequences[first], end = p.offsets[sequence + 1], tiles = ceil_div(end - first, per_tile);
        if (tile < tiles) {
            queries = {sequence, first + tile * per_tile, min(end, first + (tile + 1) * per_tile)};
            return true;
        }
        tile -= tiles;
        first = end;
    }
    return false;
}

/* Softmax state of rows lane / 4 and lane / 4 + 8. */
struct Running {
    float largest[2] = {-INFINITY, -INFINITY};
    float sum[2] = {0, 0};
};

__device__ __forceinline__ float finite_or_zero(float m) { return m == -INFINITY ? 0.0f : m; }

/* (largest, sum, out) of a further split joins (m, l, o). */
struct MergeFactors { float mine, theirs; };
__device__ __forceinline__ MergeFactors merge(float &m, float &l, float largest, float sum) {
    float top = fmaxf(m, largest);
    MergeFactors f = {exp2_fast(__fadd_rn(m, -finite_or_zero(top))), exp2_fast(__fadd_rn(largest, -finite_or_zero(top)))};
    l = __fadd_rn(__fmul_rn(l, f.mine), __fmul_rn(sum, f.theirs));
    m = top;
    return f;
}
__device__ __forceinline__ float merged(float o, float further, MergeFactors f) {
    return __fadd_rn(__fmul_rn(o, f.mine), __fmul_rn(further, f.theirs));
}

__device__ __forceinline__ int first_seen(const moebius_attend &p, int position) {
    return p.window > 0 && position >= p.window ? position - p.window + 1 : 0;
}
__device__ __forceinline__ int window_or_all(const moebius_attend &p) { return p.window > 0 ? p.window : 0x7fffffff; }
__device__ __forceinline__ float score_factor(const moebius_attend &p) {
    float scale = p.cache_type == MOEBIUS_CUDA_E4M3 ? p.key_scale : 1.0f;
    return scale * 1.4426950408889634f * rsqrt_(float(p.head_dim));
}

/* What a block reads: positions start .. limit - 1 of a sequence, of which a token sees window. It lies in shared memory: prefill has no register to spare. */
struct CachedRange {
    const int *table;
    int kv_head, start, limit;
    unsigned window;
    float factor; /* of scores, to base 2 */
};

template <int Dim, bool E4m3, int Threads> struct AttentionTiles {
    static constexpr int kTile = attention_tile(Dim), kBuffers = attention_buffers(Dim), kElement = E4m3 ? 1 : 2;
    static constexpr int kRawRow = Dim * kElement + 16, kRow = Dim * 2 + 16;
    static constexpr int kRaw = kTile * kRawRow, kWide = kTile * kRow;
    static constexpr int kPairs = kTile / 16; /* groups of 16 positions */

    const moebius_attend &p;
    std::uint8_t *shared;
    CachedRange &range;

    __device__ AttentionTiles(const moebius_attend &p, std::uint8_t *shared, CachedRange &range, int sequence, int kv_head, int start, int limit)
        : p(p), shared(shared), range(range) {
        if (threadIdx.x == 0) range = {p.tables + p.table_offsets[sequence], kv_head, start, limit, unsigned(window_or_all(p)), score_factor(p)};
        __syncthreads();
    }

    __device__ bool has(int tile) const { return tile * kTile < range.limit; }
    /* Starts the copies of a tile; zeros before start and from limit on. */
    __device__ void load(int tile) {
        std::uint32_t to = shared_address(shared) + tile % kBuffers * 2 * kRaw;
        constexpr int kChunks = Dim * kElement / 16;
        for (int i = threadIdx.x; i < kTile * kChunks; i += Threads) {
            int row = i / kChunks, byte = i % kChunks * 16, position = tile * kTile + row;
            bool valid = position >= range.start && position < range.limit;
            std::int64_t block = valid ? range.table[position / kBlockTokens] : 0;
            std::int64_t at = ((block * p.kv_heads + range.kv_head) * kBlockTokens + position % kBlockTokens) * Dim * kElement + byte;
            copy_async_16(to + row * kRawRow + byte, static_cast<const std::uint8_t *>(p.keys) + at, valid);
            copy_async_16(to + kRaw + row * kRawRow + byte, static_cast<const std::uint8_t *>(p.values) + at, valid);
        }
    }
    /* After the copies have arrived and a barrier: where the bf16 keys of a tile lie; the values follow after kWide bytes. All threads. */
    __device__ std::uint8_t *ready(int tile) {
        std::uint8_t *raw = shared + tile % kBuffers * 2 * kRaw;
        if (!E4m3) return raw;
        std::uint8_t *wide = shared + kBuffers * 2 * kRaw;
#pragma unroll 1 /* the sums of prefill leave few registers */
        for (int i = threadIdx.x; i < 2 * kTile * Dim / 4; i += Threads) {
            int row = i / (Dim / 4), d = i % (Dim / 4) * 4;
            unsigned codes = *reinterpret_cast<const unsigned *>(raw + row * kRawRow + d);
            float2 low = unpack_e4m3(codes & 0xffff), high = unpack_e4m3(codes >> 16);
            *reinterpret_cast<uint2 *>(wide + row * kRow + d * 2) = make_uint2(pack_bf16(low.x, low.y), pack_bf16(high.x, high.y));
        }
        __syncthreads();
        return wide;
    }

    /* Query rows lane / 4 and lane / 4 + 8 as fragments A; NULL rows are zero. */
    __device__ static void load_query(const std::uint16_t *low, const std::uint16_t *high, int lane, unsigned (&q)[Dim / 16][4]) {
#pragma unroll
        for (int s = 0; s < Dim / 16; s++) {
            int d = s * 16 + lane % 4 * 2;
            q[s][0] = low ? *reinterpret_cast<const unsigned *>(low + d) : 0;
            q[s][1] = high ? *reinterpret_cast<const unsigned *>(high + d) : 0;
            q[s][2] = low ? *reinterpret_cast<const unsigned *>(low + d + 8) : 0;
            q[s][3] = high ? *reinterpret_cast<const unsigned *>(high + d + 8) : 0;
        }
    }

    /* Scores of 16 positions from 16 pair, scaled to base 2, -infinity for what each row's token does not see. */
    __device__ void score(const std::uint8_t *keys, int pair, int lane, const unsigned (&q)[Dim / 16][4], int first,
                          const int (&row_position)[2], float (&s)[2][4]) const {
#pragma unroll
        for (int n = 0; n < 2; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) s[n][i] = 0;
        int matrix = lane / 8;
        std::uint32_t row = shared_address(keys) + (pair * 16 + matrix / 2 * 8 + lane % 8) * kRow + matrix % 2 * 16;
#pragma unroll
        for (int step = 0; step < Dim / 16; step++) {
            unsigned b[4];
            load_matrix_x4(b, row + step * 32);
            unsigned low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
            mma_bf16(s[0], q[step], low);
            mma_bf16(s[1], q[step], high);
        }
#pragma unroll
        for (int n = 0; n < 2; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int position = first + pair * 16 + n * 8 + lane % 4 * 2 + i % 2;
                s[n][i] = unsigned(row_position[i / 2] - position) < range.window ? __fmul_rn(s[n][i], range.factor) : -INFINITY;
            }
    }
    /* Largest score of 16 positions of rows lane / 4 (h = 0) and lane / 4 + 8 (h = 1). */
    __device__ static float largest(const float (&s)[2][4], int h) {
        float m = fmaxf(fmaxf(s[0][2 * h], s[0][2 * h + 1]), fmaxf(s[1][2 * h], s[1][2 * h + 1]));
        m = fmaxf(m, __shfl_xor_sync(kAllLanes, m, 1));
        return fmaxf(m, __shfl_xor_sync(kAllLanes, m, 2));
    }
    /* s = 2^(s - top); their sum over 16 positions. */
    __device__ static float weigh(float (&s)[2][4], int h, float top) {
#pragma unroll
        for (int n = 0; n < 2; n++)
#pragma unroll
            for (int i = 2 * h; i < 2 * h + 2; i++) s[n][i] = exp2_fast(__fadd_rn(s[n][i], -top));
        float sum = __fadd_rn(__fadd_rn(s[0][2 * h], s[0][2 * h + 1]), __fadd_rn(s[1][2 * h], s[1][2 * h + 1]));
        sum = __fadd_rn(sum, __shfl_xor_sync(kAllLanes, sum, 1));
        return __fadd_rn(sum, __shfl_xor_sync(kAllLanes, sum, 2));
    }
    /* Weights of 16 positions as fragment A. */
    __device__ static void as_operand(const float (&s)[2][4], unsigned (&a)[4]) {
        a[0] = pack_bf16(s[0][0], s[0][1]);
        a[1] = pack_bf16(s[0][2], s[0][3]);
        a[2] = pack_bf16(s[1][0], s[1][1]);
        a[3] = pack_bf16(s[1][2], s[1][3]);
    }
    /* o [16 x 16 channels from 16 slice] += weights of 16 positions * values. */
    __device__ static void add_values(const std::uint8_t *keys, int pair, int slice, int lane, const unsigned (&a)[4], float (&o)[2][4]) {
        int matrix = lane / 8;
        unsigned b[4];
        load_matrix_x4_transposed(b, shared_address(keys) + kWide + (pair * 16 + matrix % 2 * 8 + lane % 8) * kRow + (slice * 16 + matrix / 2 * 8) * 2);
        unsigned low[2] = {b[0], b[1]}, high[2] = {b[2], b[3]};
        mma_bf16(o[0], a, low);
        mma_bf16(o[1], a, high);
    }
};

__device__ __forceinline__ void store_attended(const moebius_attend &p, int token, int head, int d, float o, float l) {
    if (d >= p.head_dim) return;
    float v = __fadd_rn(o, 0.0f) / l; /* -0 becomes 0, as where splits are merged */
    if (p.cache_type == MOEBIUS_CUDA_E4M3) v = __fmul_rn(v, p.value_scale);
    std::int64_t at = token * p.out_pitch + head * p.head_dim + d;
    if (p.out_type == MOEBIUS_CUDA_E4M3) static_cast<std::uint8_t *>(p.out)[at] = to_e4m3_bits(v / p.out_scale);
    else static_cast<std::uint16_t *>(p.out)[at] = to_bf16_bits(v);
}
