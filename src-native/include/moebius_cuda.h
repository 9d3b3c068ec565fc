/* The CUDA kernels: one structure of pointers, shapes, strides and scales per kernel, and the table of variants that exist.
   A kernel takes its structure by value as its only parameter. It allocates nothing, waits for nothing on the host and can be
   captured in a graph. Every row of a result depends on its own row of input alone, bit for bit, in every variant.
   Pointers are device pointers. Pitches are in elements unless a name says bytes. A row of 0 elements is never given. Padding between
   a row's elements and its pitch is only written where a comment says so: buffers of activations are zeroed once.

   Shapes: any n, k, hidden and ffn; head_dim even and at most 4096; at most 4096 experts, top_k up to all of them. Vectors (norm weights,
   biases) are float32, exact from every type a checkpoint has.

   Packed weights: a matrix [n, k] lies as units of 64 rows x 128 bytes, [ceil(n / 64)][ceil(k bytes / 128)][64][128 bytes],
   padded with zeros; 16-byte chunk c of row r of a unit lies at chunk c ^ (r % 8) (the 128-byte swizzle of wgmma and TMA).
   Experts lie one after the other. moebius_pack makes it from row-major data: e4m3 and bf16 as they are, other types as bf16. */
#ifndef MOEBIUS_CUDA_H
#define MOEBIUS_CUDA_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element types. */
enum { MOEBIUS_CUDA_F32 = 0, MOEBIUS_CUDA_BF16 = 1, MOEBIUS_CUDA_E4M3 = 2, MOEBIUS_CUDA_F16 = 3, MOEBIUS_CUDA_INT4 = 4 };

/* Factor of element (r, c) of [rows, columns]: values[(r / block_rows) * ceil(columns / block_columns) + c / block_columns].
   Per tensor: one block; per channel or token: block_rows 1; values NULL: 1. */
typedef struct {
    const float *values;
    int block_rows;
    int block_columns;
} moebius_scales;

/* What a product does with its result. */
enum {
    MOEBIUS_STORE_F32 = 0,   /* out[p] = v */
    MOEBIUS_STORE_BF16 = 1,
    MOEBIUS_ADD_F32 = 2,     /* out[p] += v */
    MOEBIUS_SWIGLU_BF16 = 3, /* out[p] = silu(v of weights) * v of up */
    MOEBIUS_SWIGLU_E4M3 = 4  /* the same, e4m3(out / out_scale) */
};

/* out[p] = x[source(p)] * transpose(weights of the expert of p); p counts rows sorted by expert. Weights are read before the kernel
   before is complete: they are not its output. At most 256 experts: of more, each 256 are a product of their own, with weights, scales and
   offsets from their first on. */
typedef struct {
    const uint8_t *weights;      /* packed, [experts] */
    const uint8_t *up;           /* packed as weights, for SWIGLU */
    const void *x;               /* e4m3 codes or bf16, zero from k to the next multiple of 128 bytes */
    void *out;
    const int *offsets;          /* [experts + 1] first p of each expert, or NULL: one expert, rows rows */
    const int *sources;          /* [p] row of x, or NULL: p itself; offsets are then complete before what writes x starts */
    float *partials;             /* variants with spread: k_splits * tiles * mats * 64 * tile_tokens floats */
    int *tickets;                /* variants with spread: one per tile, zero before and after */
    moebius_scales weight_scales, up_scales; /* of one expert; the next one's follow after scales_per_expert values */
    moebius_scales x_scales;     /* by row of x */
    int64_t x_pitch_bytes;       /* a multiple of 16 */
    int64_t out_pitch;
    int scales_per_expert;
    int rows, n, k, experts;
    int k_splits;                /* of the recipe: K is summed in this many parts, then the parts in order */
    int epilogue;
    float out_scale;
    int raster;                  /* strips of weights that share a pass over the rows */
    int variant;
} moebius_gemm;

/* Packs a matrix [n, k], or one expert's part of one, from row-major data into units. e4m3 stays e4m3 (its scales go to moebius_gemm)
   and bf16 stays bf16, exactly. to_type bf16 makes bf16(element * scale) of e4m3, bf16, f16, f32 and int4: for the checkpoints of those
   types, and for scales that change within a 128-block of K, which products don't take. int4: -8 to 7 in groups of 32 elements, byte i of
   a group's 16 holding i, in its low half, and i + 16, plus 8 each; from_pitch is a multiple of 32. */
typedef struct {
    const void *from;
    uint8_t *to;
    moebius_scales scales;       /* values NULL: 1 */
    int64_t from_pitch;
    int n, k, from_type, to_type;
} moebius_pack;

/* ids, weights [tokens, top_k]: the top_k largest of softmax(x * transpose(router)), ties to the lower id, over their sum.
   A bf16 router stays so; e4m3 becomes bf16 (exact) with its scale in router_scales, or with scales along a row f32; f16 and f32
   become f32. With a ticket, the block that chooses last sorts as moebius_permute does: for small steps. */
typedef struct {
    const uint16_t *x;      /* bf16 [tokens, hidden] */
    const void *router;     /* [experts, hidden] of router_type */
    const float *router_scales; /* [experts], or NULL: 1 */
    int *ids;
    float *weights;
    int *ticket;            /* zero before and after; NULL: nothing is sorted */
    int *offsets, *sources, *positions; /* as moebius_permute's */
    int64_t x_pitch;
    float x_scale;          /* above 0: x is rounded to e4m3(x / x_scale) * x_scale, as static scales of an FP8 router say */
    int tokens, hidden, experts, top_k, router_type, variant;
} moebius_route;

/* Sorts the chosen (token, j) by expert, in token order within one: offsets [experts + 1], sources [tokens * top_k] the token of
   position p, positions [tokens, top_k] its p. */
typedef struct {
    const int *ids;
    int *offsets, *sources, *positions;
    int tokens, experts, top_k, variant;
} moebius_permute;

/* residual [tokens, columns] += delta, += sum over j of weights[t, j] * expert_out[positions[t, j]] (j ascending); then
   y = residual / sqrt(mean(residual^2) + epsilon) * weight, as bf16 and as e4m3 codes with scales. Any of delta, expert_out,
   weight (no norm then: y = residual), out16, out8 may be NULL. Scales of groups are min(amax, bound) / 448, 1 for amax 0. */
typedef struct {
    float *residual;
    const float *delta;
    const uint16_t *expert_out;  /* bf16 [positions, columns] */
    const int *positions;
    const float *expert_weights;
    const float *weight;         /* [columns] */
    uint16_t *out16;
    uint8_t *out8;
    float *out_scales;           /* written: [tokens, ceil(columns / group)] (group > 0); read: one value (group = 0) */
    int64_t out16_pitch, out8_pitch; /* the padding from columns to the pitch is written with zeros */
    int tokens, columns, top_k, group;
    float bound;                 /* of amax; infinity for none */
    double epsilon;
    int variant;
} moebius_norm;

/* out8 [rows] = e4m3(x / scale), as in moebius_norm; x is bf16. */
typedef struct {
    const uint16_t *x;
    uint8_t *out8;
    float *out_scales;
    int64_t x_pitch, out8_pitch;
    const int *row_count;        /* device: rows to do, or NULL: rows */
    float bound;
    int rows, columns, group, variant;
} moebius_quantize;

#define MOEBIUS_ANGLE_PAIRS 128

/* turns [tokens, pairs] from pair `first` on: factor times cosine and sine of positions[t] * frequencies[i - first]. Once per step, for
   all layers; once for each MOEBIUS_ANGLE_PAIRS pairs. */
typedef struct {
    const int *positions;
    float *turns;                /* [tokens, pairs, 2] */
    double factor, frequencies[MOEBIUS_ANGLE_PAIRS];
    int tokens, pairs, first, variant;
} moebius_angles;

/* Adds biases, normalises each head of query and key, rotates both and stores key and value. qkv [tokens, heads + 2 kv_heads,
   head_dim] bf16; query out [tokens, heads, padded_dim] bf16; cache [block][kv head][16][padded_dim] of cache_type, position p in
   block tables[table_offsets[sequence] + p / 16]. Padding is written with zeros. Stored codes: e4m3(value / scale). */
typedef struct {
    const uint16_t *qkv;
    const float *bias;           /* [heads + 2 kv_heads, head_dim], or NULL */
    const float *query_norm, *key_norm; /* [head_dim] weights of an RMSNorm, or NULL */
    const float *turns;          /* [tokens, head_dim / 2, 2] of moebius_angles */
    uint16_t *query;
    void *keys, *values;
    const int *positions, *sequences, *tables, *table_offsets;
    int64_t qkv_pitch;
    float epsilon, key_scale, value_scale;
    int tokens, heads, kv_heads, head_dim, padded_dim, cache_type, variant;
} moebius_rope;

/* out[t] = table[tokens[t]], table bf16; a token ~r (below 0) is drawn[r], so that the host need not have seen it. */
typedef struct {
    const uint16_t *table;
    const int *tokens;
    const int *drawn;            /* or NULL where no token is below 0 */
    float *out;
    int count, columns, variant;
} moebius_embed;

/* Causal attention over the paged cache: a token sees itself and, with a window, the window - 1 before it. Scores and sums run over
   tiles of 64 and splits of 256 positions counted from 0; splits are merged in ascending order: decode and prefill give the same bits.
   Tokens of a sequence are consecutive: offsets [sequences + 1]; positions[offsets[s]] is the first's position.
   Decode: one block per (token, kv head, split from the first that the token sees), then moebius_attend_merge unless max_splits is 1.
   Prefill: one block per (tile of queries, kv head). Both: head_dim up to 256 in variants' padded dims, up to 128 query heads per kv head.
   General: all others, padded_dim being head_dim; one block per (token, query head), sums of its own. */
typedef struct {
    const uint16_t *query;       /* bf16 [tokens, heads, padded_dim] */
    const void *keys, *values;
    void *out;                   /* [tokens, heads * head_dim], bf16, or e4m3(out / out_scale) */
    float *partials;             /* decode: [tokens, heads, max_splits, padded_dim + 2]; unused where max_splits is 1 */
    const int *positions, *sequences, *tables, *table_offsets, *offsets;
    int64_t out_pitch;
    float key_scale, value_scale, out_scale;
    int tokens, heads, kv_heads, head_dim, padded_dim, cache_type, out_type;
    int window;                  /* 0: all */
    int max_splits;              /* that a token sees: ceil(longest / 256), with a window at most (window + 254) / 256 + 1 */
    int query_tiles, variant;
} moebius_attend;

/* One token per row from logits: logprob of the raw logits, bias, penalties, mask, temperature, top-k, top-p, min-p, draw. */
typedef struct {
    const float *logits;         /* [rows, pitch] */
    float *adjusted;             /* scratch [rows, pitch] */
    const float *temperature, *top_p, *min_p, *repetition, *presence, *frequency; /* [rows] */
    const int *top_k;            /* [rows], 0 is off */
    const uint64_t *seeds;       /* [rows] */
    const int *indices;          /* [rows] number of tokens drawn before in this sequence */
    const uint32_t *allowed;     /* [rows, ceil(vocabulary / 32)] bits of tokens that may be chosen, or NULL */
    const int *bias_offsets, *bias_ids; /* [rows + 1], ids without repetition, or NULL */
    const float *bias_values;
    uint16_t *const *counts;     /* [rows] of [vocabulary]: times in the output, bit 15: in the prompt; NULL without penalties */
    int *tokens;                 /* [rows] chosen */
    float *logprobs;             /* [rows] */
    int *top_ids;                /* [rows, top_logprobs] */
    float *top_values;
    int *status;                 /* [rows] 0, or 1: a logit was not finite (counted as -infinity), 2: nothing to choose from */
    int64_t pitch;
    int rows, vocabulary, top_logprobs, variant;
} moebius_sample;

/* A yardstick: what the device does at most. Reading: count times 16 bytes of from; multiplying: count rounds of independent products.
   A result is written to to, 4 bytes, only where it is one that never comes. */
typedef struct {
    const void *from;
    void *to;
    int64_t count;
} moebius_yardstick;

/* to = the tile of a matrix of bytes from byte `column` of row `row` on, row by row, zeros outside of the matrix. */
typedef struct {
    uint64_t map[16] __attribute__((aligned(64))); /* the CUtensorMap of the matrix, its box the variant's tile */
    uint8_t *to;
    int column, row, bytes, variant; /* bytes: of the tile */
} moebius_fetch;

/* The kernel families. */
enum {
    MOEBIUS_FP8_GEMM = 0, MOEBIUS_W8A16_GEMM = 1, MOEBIUS_BF16_GEMM = 2, MOEBIUS_PACK = 3, MOEBIUS_ROUTE = 4,
    MOEBIUS_PERMUTE = 5, MOEBIUS_NORM = 6, MOEBIUS_QUANTIZE = 7, MOEBIUS_ROPE = 8, MOEBIUS_EMBED = 9,
    MOEBIUS_ATTEND_DECODE = 10, MOEBIUS_ATTEND_MERGE = 11, MOEBIUS_ATTEND_PREFILL = 12, MOEBIUS_SAMPLE = 13, MOEBIUS_ANGLES = 14,
    MOEBIUS_READ_YARDSTICK = 15, MOEBIUS_E4M3_YARDSTICK = 16, MOEBIUS_BF16_YARDSTICK = 17, MOEBIUS_ATTEND_GENERAL = 18,
    MOEBIUS_FETCH = 19
};
/* Which GPUs have a variant: the general ones all, the Hopper ones compute capability 9.0 alone, copies by tensor map 9.0 and later. */
enum { MOEBIUS_ANY_GPU = 0, MOEBIUS_FROM_HOPPER = 9, MOEBIUS_HOPPER_ONLY = 90 };
/* How a grid follows from a structure; see moebius_grid. */
enum {
    MOEBIUS_GRID_TILES,          /* tiles of a product, or as many as run at once */
    MOEBIUS_GRID_UNITS,          /* units of packed weights */
    MOEBIUS_GRID_ROWS,           /* rows or tokens */
    MOEBIUS_GRID_ONE,            /* 1 */
    MOEBIUS_GRID_HEADS_BY_8,     /* tokens, heads of query, key and value / 8 */
    MOEBIUS_GRID_SPLITS,         /* tokens, kv_heads * ceil(query heads of each / 16), max_splits */
    MOEBIUS_GRID_HEADS,          /* tokens, query heads */
    MOEBIUS_GRID_ALL,            /* blocks_per_sm on every multiprocessor */
    MOEBIUS_GRID_QUERY_TILES     /* query_tiles: at least the sum over sequences of ceil(its tokens / (128 / group)); kv_heads */
};

/* One way to run a kernel. Variants of one family and one instruction give the same bits. */
typedef struct {
    int family, number;
    const char *kernel;          /* symbol in the fatbin */
    int gpus;
    int tile_rows, tile_tokens;  /* of a product: weight rows and tokens per tile; of attention: head dim, cache type; of a copy: rows, bytes */
    int stages, mats;            /* mats 2: SWIGLU, 1: the others. Of a yardstick: K of a product, products per block and round */
    int spread;                  /* 1: the k_splits run on different SMs */
    int threads, shared_bytes, blocks_per_sm;
    int grid;
    const char *recipe;          /* what the bits depend on besides the structure */
} moebius_variant;

/* All variants; count is set. */
const moebius_variant *moebius_variants(int *count);
/* NULL, or why this variant can't run this product. */
const char *moebius_gemm_refusal(const moebius_variant *variant, const moebius_gemm *gemm, int compute_capability);
/* Upper bound of the tiles of a product: experts without rows are not known on the host. */
int moebius_gemm_tiles(const moebius_variant *variant, const moebius_gemm *gemm);
/* The grid of a variant's launch with its structure. */
void moebius_grid(const moebius_variant *variant, const void *structure, int multiprocessors, int grid[3]);

#ifdef __cplusplus
}
#endif
#endif
