/* The table of variants, and what follows from it: grids, and which products a variant can run. Data; Java mirrors it. */
#include <moebius_cuda.h>

#include "layout.h"

namespace {

constexpr int general_bytes(int tokens, int mats, int slabs) {
    return 3 * (mats * kUnit + slabs * tokens * kUnitRowBytes + tokens * 4) + tokens * 4;
}
constexpr int hopper_bytes(int tokens, int units, int stages, int desk) {
    return stages * (units * kUnit + tokens * (kUnitRowBytes + 4) + 16) + 16 + desk;
}
constexpr const char *kE4m3 = "mma m16n8k32 e4m3, promoted per 128 of K, k_splits parts";
constexpr const char *kWgmma = "wgmma k32 e4m3, promoted per 128 of K, k_splits parts";
constexpr const char *kWidened = "mma m16n8k16 bf16 over widened e4m3, promoted per 128 of K, k_splits parts";
constexpr const char *kBf16 = "mma m16n8k16 bf16, promoted per 64 of K, k_splits parts";

constexpr moebius_variant general(int family, int number, const char *kernel, int tokens, int mats, int slabs, const char *recipe) {
    return {family, number, kernel, MOEBIUS_ANY_GPU, 64, tokens, 3, mats, 0, 128, general_bytes(tokens, mats, slabs),
            mats * slabs * tokens > 64 ? 1 : 2, MOEBIUS_GRID_TILES, recipe};
}
constexpr moebius_variant skinny(int number, const char *kernel, int tokens, int mats, int stages, int spread) {
    return {MOEBIUS_FP8_GEMM, number, kernel, MOEBIUS_HOPPER_ONLY, 64, tokens, stages, mats, spread, 160,
            hopper_bytes(tokens, mats, stages, 0), 2, MOEBIUS_GRID_TILES, kWgmma};
}
constexpr moebius_variant wide(int number, const char *kernel, int tokens, int mats, int stages) {
    return {MOEBIUS_FP8_GEMM, number, kernel, MOEBIUS_HOPPER_ONLY, mats == 2 ? 64 : 128, tokens, stages, mats, 0, 384,
            hopper_bytes(tokens, 2, stages, mats == 2 ? tokens * 256 : 0), 1, MOEBIUS_GRID_TILES, kWgmma};
}
constexpr moebius_variant plain(int family, int number, const char *kernel, int threads, int grid, const char *recipe) {
    return {family, number, kernel, MOEBIUS_ANY_GPU, 0, 0, 1, 1, 0, threads, 0, 1, grid, recipe};
}
constexpr int tile_bytes(int dim, int element) { return 2 * (dim > 128 ? 32 : 64) * (dim * element + 16); }
constexpr int attention_bytes(int dim, int type) {
    bool codes = type == MOEBIUS_CUDA_E4M3;
    return (dim > 128 ? 1 : 2) * tile_bytes(dim, codes ? 1 : 2) + (codes ? tile_bytes(dim, 2) : 0);
}
constexpr const char *kAttention = "mma bf16, tiles of 64 and splits of 256 positions from 0, merged in order (tiles of 32 above head dim 128)";
constexpr moebius_variant decode(int number, const char *kernel, int dim, int type) {
    return {MOEBIUS_ATTEND_DECODE, number, kernel, MOEBIUS_ANY_GPU, dim, type, 1, 1, 1, 128, attention_bytes(dim, type) + 16 * 144 + 2 * 64 * 4, 2,
            MOEBIUS_GRID_SPLITS, kAttention};
}
constexpr moebius_variant prefill(int number, const char *kernel, int dim, int type) {
    return {MOEBIUS_ATTEND_PREFILL, number, kernel, MOEBIUS_ANY_GPU, dim, type, 2, 1, 0, 256, attention_bytes(dim, type), 1,
            MOEBIUS_GRID_QUERY_TILES, kAttention};
}

constexpr moebius_variant yardstick(int family, int number, const char *kernel, int gpus, int rows, int tokens, int k, int products, int threads,
                                    int shared_bytes, int blocks, const char *instruction) {
    return {family, number, kernel, gpus, rows, tokens, k, products, 0, threads, shared_bytes, blocks, MOEBIUS_GRID_ALL, instruction};
}
constexpr int hopper_attention_bytes(int dim, int type, int stages) {
    return stages * (64 * dim * 2 + 16) + (type == MOEBIUS_CUDA_E4M3 ? (stages / 2 + 1) * 64 * dim : 0);
}
constexpr const char *kHopperAttention = "wgmma bf16, tiles of 64 and splits of 256 positions from 0, merged in order";
constexpr moebius_variant hopper_decode(int number, const char *kernel, int dim, int type) {
    return {MOEBIUS_ATTEND_DECODE, number, kernel, MOEBIUS_HOPPER_ONLY, dim, type, 5, 1, 1, 256, hopper_attention_bytes(dim, type, 5), 2,
            MOEBIUS_GRID_SPLITS, kHopperAttention};
}
constexpr moebius_variant hopper_prefill(int number, const char *kernel, int dim, int type) {
    return {MOEBIUS_ATTEND_PREFILL, number, kernel, MOEBIUS_HOPPER_ONLY, dim, type, 8, 1, 0, 384, hopper_attention_bytes(dim, type, 8), 1,
            MOEBIUS_GRID_QUERY_TILES, kHopperAttention};
}

constexpr moebius_variant kVariants[] = {
    general(MOEBIUS_FP8_GEMM, 0, "moebius_fp8_general_16", 16, 1, 1, kE4m3),
    general(MOEBIUS_FP8_GEMM, 1, "moebius_fp8_general_64", 64, 1, 1, kE4m3),
    general(MOEBIUS_FP8_GEMM, 2, "moebius_fp8_general_16_swiglu", 16, 2, 1, kE4m3),
    general(MOEBIUS_FP8_GEMM, 3, "moebius_fp8_general_32_swiglu", 32, 2, 1, kE4m3),
    skinny(10, "moebius_fp8_skinny_8", 8, 1, 10, 0),
    skinny(11, "moebius_fp8_skinny_16", 16, 1, 10, 0),
    skinny(12, "moebius_fp8_skinny_32", 32, 1, 8, 0),
    skinny(13, "moebius_fp8_skinny_64", 64, 1, 6, 0),
    skinny(14, "moebius_fp8_skinny_8_spread", 8, 1, 10, 1),
    skinny(15, "moebius_fp8_skinny_16_spread", 16, 1, 10, 1),
    skinny(16, "moebius_fp8_skinny_32_spread", 32, 1, 8, 1),
    skinny(17, "moebius_fp8_skinny_64_spread", 64, 1, 6, 1),
    skinny(18, "moebius_fp8_skinny_8_swiglu", 8, 2, 6, 0),
    skinny(19, "moebius_fp8_skinny_16_swiglu", 16, 2, 6, 0),
    skinny(20, "moebius_fp8_skinny_32_swiglu", 32, 2, 5, 0),
    skinny(21, "moebius_fp8_skinny_64_swiglu", 64, 2, 4, 0),
    wide(30, "moebius_fp8_wide_64", 64, 1, 7),
    wide(31, "moebius_fp8_wide_128", 128, 1, 5),
    wide(32, "moebius_fp8_wide_64_swiglu", 64, 2, 7),
    wide(33, "moebius_fp8_wide_128_swiglu", 128, 2, 5),
    general(MOEBIUS_W8A16_GEMM, 0, "moebius_w8a16_16", 16, 1, 2, kWidened),
    general(MOEBIUS_W8A16_GEMM, 1, "moebius_w8a16_64", 64, 1, 2, kWidened),
    general(MOEBIUS_W8A16_GEMM, 2, "moebius_w8a16_16_swiglu", 16, 2, 2, kWidened),
    general(MOEBIUS_W8A16_GEMM, 3, "moebius_w8a16_32_swiglu", 32, 2, 2, kWidened),
    general(MOEBIUS_BF16_GEMM, 0, "moebius_bf16_16", 16, 1, 1, kBf16),
    general(MOEBIUS_BF16_GEMM, 1, "moebius_bf16_64", 64, 1, 1, kBf16),
    general(MOEBIUS_BF16_GEMM, 2, "moebius_bf16_16_swiglu", 16, 2, 1, kBf16),
    general(MOEBIUS_BF16_GEMM, 3, "moebius_bf16_32_swiglu", 32, 2, 1, kBf16),
    plain(MOEBIUS_PACK, 0, "moebius_pack_weights", 256, MOEBIUS_GRID_UNITS, "exact"),
    plain(MOEBIUS_ROUTE, 0, "moebius_route_tokens", 256, MOEBIUS_GRID_ROWS, "32 sums of runs of 8, butterfly"),
    plain(MOEBIUS_PERMUTE, 0, "moebius_permute_tokens", 1024, MOEBIUS_GRID_ONE, "exact"),
    plain(MOEBIUS_NORM, 0, "moebius_norm_rows", 256, MOEBIUS_GRID_ROWS, "256 strided sums, butterfly"),
    plain(MOEBIUS_QUANTIZE, 0, "moebius_quantize_rows", 256, MOEBIUS_GRID_ROWS, "exact"),
    plain(MOEBIUS_ROPE, 0, "moebius_rope_store", 256, MOEBIUS_GRID_HEADS_BY_8, "32 strided sums, butterfly"),
    plain(MOEBIUS_ANGLES, 0, "moebius_turn_angles", 128, MOEBIUS_GRID_ROWS, "exact"),
    plain(MOEBIUS_EMBED, 0, "moebius_embed_tokens", 256, MOEBIUS_GRID_ROWS, "exact"),
    decode(0, "moebius_decode_16_bf16", 16, MOEBIUS_CUDA_BF16),
    decode(1, "moebius_decode_64_bf16", 64, MOEBIUS_CUDA_BF16),
    decode(2, "moebius_decode_128_bf16", 128, MOEBIUS_CUDA_BF16),
    decode(3, "moebius_decode_256_bf16", 256, MOEBIUS_CUDA_BF16),
    decode(4, "moebius_decode_16_e4m3", 16, MOEBIUS_CUDA_E4M3),
    decode(5, "moebius_decode_64_e4m3", 64, MOEBIUS_CUDA_E4M3),
    decode(6, "moebius_decode_128_e4m3", 128, MOEBIUS_CUDA_E4M3),
    decode(7, "moebius_decode_256_e4m3", 256, MOEBIUS_CUDA_E4M3),
    hopper_decode(10, "moebius_hopper_decode_64_bf16", 64, MOEBIUS_CUDA_BF16),
    hopper_decode(11, "moebius_hopper_decode_128_bf16", 128, MOEBIUS_CUDA_BF16),
    hopper_decode(12, "moebius_hopper_decode_64_e4m3", 64, MOEBIUS_CUDA_E4M3),
    hopper_decode(13, "moebius_hopper_decode_128_e4m3", 128, MOEBIUS_CUDA_E4M3),
    plain(MOEBIUS_ATTEND_GENERAL, 0, "moebius_attend_general", 256, MOEBIUS_GRID_HEADS, "float32 sums, tiles of 256 positions from 0"),
    plain(MOEBIUS_ATTEND_MERGE, 0, "moebius_merge_splits", 128, MOEBIUS_GRID_HEADS, kAttention),
    prefill(0, "moebius_prefill_16_bf16", 16, MOEBIUS_CUDA_BF16),
    prefill(1, "moebius_prefill_64_bf16", 64, MOEBIUS_CUDA_BF16),
    prefill(2, "moebius_prefill_128_bf16", 128, MOEBIUS_CUDA_BF16),
    prefill(3, "moebius_prefill_256_bf16", 256, MOEBIUS_CUDA_BF16),
    prefill(4, "moebius_prefill_16_e4m3", 16, MOEBIUS_CUDA_E4M3),
    prefill(5, "moebius_prefill_64_e4m3", 64, MOEBIUS_CUDA_E4M3),
    prefill(6, "moebius_prefill_128_e4m3", 128, MOEBIUS_CUDA_E4M3),
    prefill(7, "moebius_prefill_256_e4m3", 256, MOEBIUS_CUDA_E4M3),
    hopper_prefill(10, "moebius_hopper_prefill_64_bf16", 64, MOEBIUS_CUDA_BF16),
    hopper_prefill(11, "moebius_hopper_prefill_128_bf16", 128, MOEBIUS_CUDA_BF16),
    hopper_prefill(12, "moebius_hopper_prefill_64_e4m3", 64, MOEBIUS_CUDA_E4M3),
    hopper_prefill(13, "moebius_hopper_prefill_128_e4m3", 128, MOEBIUS_CUDA_E4M3),
    plain(MOEBIUS_SAMPLE, 0, "moebius_sample_rows", 1024, MOEBIUS_GRID_ROWS, "integer sums"),
    yardstick(MOEBIUS_READ_YARDSTICK, 0, "moebius_read_bytes", MOEBIUS_ANY_GPU, 0, 0, 0, 0, 512, 0, 4, "16-byte loads"),
    yardstick(MOEBIUS_E4M3_YARDSTICK, 0, "moebius_multiply_wgmma", MOEBIUS_HOPPER_ONLY, 64, 128, 32, 8, 256, 32768, 1, "wgmma m64n128k32 e4m3"),
    yardstick(MOEBIUS_E4M3_YARDSTICK, 1, "moebius_multiply_e4m3", MOEBIUS_ANY_GPU, 16, 8, 32, 32, 256, 0, 4, "mma m16n8k32 e4m3"),
    yardstick(MOEBIUS_BF16_YARDSTICK, 0, "moebius_multiply_wgmma_bf16", MOEBIUS_HOPPER_ONLY, 64, 128, 16, 8, 256, 32768, 1, "wgmma m64n128k16 bf16"),
    yardstick(MOEBIUS_BF16_YARDSTICK, 1, "moebius_multiply_bf16", MOEBIUS_ANY_GPU, 16, 8, 16, 32, 256, 0, 4, "mma m16n8k16 bf16"),
    {MOEBIUS_FETCH, 0, "moebius_fetch_tile", MOEBIUS_FROM_HOPPER, 16, 64, 1, 1, 0, 128, 16 * 64 + 8, 1, MOEBIUS_GRID_ONE, "exact"},
};

}  // namespace

const moebius_variant *moebius_variants(int *count) {
    *count = sizeof kVariants / sizeof kVariants[0];
    return kVariants;
}

const char *moebius_gemm_refusal(const moebius_variant *v, const moebius_gemm *g, int compute_capability) {
    int k_block = v->family == MOEBIUS_BF16_GEMM ? 64 : 128;
    int blocks = ceil_div(g->k, k_block);
    bool swiglu = g->epilogue == MOEBIUS_SWIGLU_BF16 || g->epilogue == MOEBIUS_SWIGLU_E4M3;
    if (v->gpus == MOEBIUS_HOPPER_ONLY && compute_capability != 90) return "needs compute capability 9.0";
    if (swiglu != (v->mats == 2)) return "SWIGLU epilogues need a variant with mats 2, the others one with mats 1";
    if (swiglu && g->up == nullptr) return "SWIGLU needs up";
    if (g->k_splits < 1 || (g->k_splits - 1) * ceil_div(blocks, g->k_splits) >= blocks) return "k_splits leaves a part of K empty";
    if (g->offsets && g->experts > kExpertsAtOnce) return "at most 256 experts at once";
    if (g->raster < 1) return "raster must be at least 1";
    if (g->x_pitch_bytes % 16 != 0) return "x_pitch_bytes must be a multiple of 16";
    int x_bytes = v->family == MOEBIUS_FP8_GEMM ? 1 : 2;
    if (g->x_pitch_bytes < std::int64_t(blocks) * k_block * x_bytes) return "x_pitch_bytes is shorter than K padded to its block";
    const moebius_scales *all[] = {&g->weight_scales, &g->up_scales, &g->x_scales};
    for (const moebius_scales *s : all) {
        if (s->values && (s->block_rows < 1 || s->block_columns < 1)) return "a block of scales must have rows and columns";
        if (s->values && s->block_columns < g->k && s->block_columns % k_block != 0) return "blocks of scales must be multiples of the K block";
    }
    if (v->spread && (g->partials == nullptr || g->tickets == nullptr)) return "a variant with spread needs partials and tickets";
    return nullptr;
}

int moebius_gemm_tiles(const moebius_variant *v, const moebius_gemm *g) {
    int columns = g->offsets ? (g->rows < g->experts ? g->rows : g->experts) + g->rows / v->tile_tokens : ceil_div(g->rows, v->tile_tokens);
    return columns * ceil_div(g->n, v->tile_rows) * (v->spread ? g->k_splits : 1);
}

static int rows_of(int family, const void *structure) {
    switch (family) {
        case MOEBIUS_ROUTE: return static_cast<const moebius_route *>(structure)->tokens;
        case MOEBIUS_NORM: return static_cast<const moebius_norm *>(structure)->tokens;
        case MOEBIUS_QUANTIZE: return static_cast<const moebius_quantize *>(structure)->rows;
        case MOEBIUS_ANGLES: return static_cast<const moebius_angles *>(structure)->tokens;
        case MOEBIUS_EMBED: return static_cast<const moebius_embed *>(structure)->count;
        default: return static_cast<const moebius_sample *>(structure)->rows;
    }
}

void moebius_grid(const moebius_variant *v, const void *structure, int multiprocessors, int grid[3]) {
    grid[0] = grid[1] = grid[2] = 1;
    switch (v->grid) {
        case MOEBIUS_GRID_TILES: {
            int tiles = moebius_gemm_tiles(v, static_cast<const moebius_gemm *>(structure)), room = multiprocessors * v->blocks_per_sm;
            grid[0] = tiles < room ? tiles : room;
            break;
        }
        case MOEBIUS_GRID_UNITS: {
            const auto *p = static_cast<const moebius_pack *>(structure);
            grid[0] = ceil_div(p->n, kStrip) * ceil_div(p->k, p->to_type == MOEBIUS_CUDA_E4M3 ? 128 : 64);
            break;
        }
        case MOEBIUS_GRID_HEADS_BY_8: {
            const auto *p = static_cast<const moebius_rope *>(structure);
            grid[0] = p->tokens;
            grid[1] = ceil_div(p->heads + 2 * p->kv_heads, 8);
            break;
        }
        case MOEBIUS_GRID_SPLITS: case MOEBIUS_GRID_HEADS: case MOEBIUS_GRID_QUERY_TILES: {
            const auto *p = static_cast<const moebius_attend *>(structure);
            bool splits = v->grid == MOEBIUS_GRID_SPLITS;
            grid[0] = v->grid == MOEBIUS_GRID_QUERY_TILES ? p->query_tiles : p->tokens;
            grid[1] = v->grid == MOEBIUS_GRID_HEADS ? p->heads : p->kv_heads * (splits ? ceil_div(p->heads / p->kv_heads, 16) : 1);
            grid[2] = splits ? p->max_splits : 1;
            break;
        }
        case MOEBIUS_GRID_ALL: grid[0] = multiprocessors * v->blocks_per_sm; break;
        case MOEBIUS_GRID_ROWS: grid[0] = rows_of(v->family, structure); break;
        default: break;
    }
}
