/* Where things lie: packed weights, tiles of a product. Functions of integers, for the device, the host and its tests. */
#pragma once
#include <cstdint>

#ifdef __CUDACC__
#define MOEBIUS_BOTH __host__ __device__
#else
#define MOEBIUS_BOTH
#endif

constexpr int kStrip = 64;         /* rows of a unit of packed weights */
constexpr int kUnitRowBytes = 128;
constexpr int kUnit = kStrip * kUnitRowBytes;
/* What config.json may say at most. */
constexpr int kMaxExperts = 4096, kMaxHeadDim = 4096;
constexpr int kExpertsAtOnce = 256; /* of one product */
constexpr int kBlockTokens = 16;  /* of a block of the KV cache */

MOEBIUS_BOTH constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

/* Byte of a unit or of a tile of tokens (rows of 128 bytes): the 16-byte chunk is swizzled by the row. */
MOEBIUS_BOTH constexpr int swizzled(int row, int byte) {
    return row * kUnitRowBytes + ((byte / 16 ^ row % 8) * 16) + byte % 16;
}

/* Byte offset of unit (strip, block) of an expert. */
MOEBIUS_BOTH inline std::int64_t unit_offset(int expert, int strip, int block, int strips, int blocks) {
    return ((std::int64_t(expert) * strips + strip) * blocks + block) * kUnit;
}

struct GemmTile {
    int expert, strip; /* strip counts tiles of weight rows */
    int first, count;  /* rows p of x and out */
};

/* Tile number t of a product over all experts, in an order that keeps `raster` strips of weights in the L2 while passing over the
   rows; false when there are fewer tiles. */
MOEBIUS_BOTH inline bool find_tile(int t, const int *offsets, int rows, int experts, int strips, int tile_tokens, int raster,
                                          GemmTile &tile) {
    for (int e = 0; e < experts; e++) {
        int begin = offsets ? offsets[e] : 0;
        int end = offsets ? offsets[e + 1] : rows;
        int columns = ceil_div(end - begin, tile_tokens);
        if (t >= columns * strips) {
            t -= columns * strips;
            continue;
        }
        int group = t / (raster * columns);
        int width = strips - group * raster < raster ? strips - group * raster : raster;
        int within = t - group * raster * columns;
        int first = begin + within / width * tile_tokens;
        tile = {e, group * raster + within % width, first, end - first < tile_tokens ? end - first : tile_tokens};
        return true;
    }
    return false;
}
