// amx/tile.h acted out on any machine, by what Intel's manual says of LDTILECFG, TILELOADD, TILESTORED and TDPBF16PS. What would
// fault on a processor ends the program.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace moebius {

struct alignas(64) TileShapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
};
static_assert(sizeof(TileShapes) == 64);

namespace emulated {

constexpr int kTiles = 8, kRows = 16, kRowBytes = 64;

struct Unit {
    TileShapes shapes{};
    unsigned char tiles[kTiles][kRows][kRowBytes]{};
};

// Of the calling thread.
inline Unit &unit() {
    static thread_local Unit unit;
    return unit;
}

inline void require(bool holds, const char *what) {
    if (holds) return;
    std::fprintf(stderr, "tiles: %s\n", what);
    std::abort();
}

inline void use(int tile) {
    require(unit().shapes.palette == 1, "used without a configuration");
    require(unit().shapes.rows[tile] > 0 && unit().shapes.bytes[tile] > 0, "a register without a shape");
}

inline float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

inline float brain(const unsigned char *p) {
    const uint32_t bits = static_cast<uint32_t>(p[0] | p[1] << 8) << 16;
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return flushed(x);
}

inline void dot(int sum, int a, int b) {
    use(sum), use(a), use(b);
    Unit &u = unit();
    const TileShapes &s = u.shapes;
    require(sum != a && sum != b && a != b, "one register as two operands");
    require(s.rows[sum] == s.rows[a] && s.bytes[sum] == s.bytes[b] && s.bytes[a] % 4 == 0 && s.bytes[b] % 4 == 0 && s.bytes[a] / 4 == s.rows[b], "shapes that don't fit");
    for (int m = 0; m < s.rows[sum]; m++)
        for (int n = 0; n < s.bytes[sum] / 4; n++) {
            float even = 0, odd = 0, total;
            for (int k = 0; k < s.bytes[a] / 4; k++) {
                even = flushed(std::fma(brain(&u.tiles[a][m][4 * k]), brain(&u.tiles[b][k][4 * n]), even));
                odd = flushed(std::fma(brain(&u.tiles[a][m][4 * k + 2]), brain(&u.tiles[b][k][4 * n + 2]), odd));
            }
            std::memcpy(&total, &u.tiles[sum][m][4 * n], sizeof total);
            total = flushed(flushed(total) + flushed(even + odd));
            std::memcpy(&u.tiles[sum][m][4 * n], &total, sizeof total);
        }
    std::memset(u.tiles[sum][s.rows[sum]], 0, (kRows - s.rows[sum]) * kRowBytes);
}

}  // namespace emulated

inline void tile_configure(const TileShapes &shapes) {
    using namespace emulated;
    require(reinterpret_cast<uintptr_t>(&shapes) % 64 == 0, "a configuration across cache lines");
    require(shapes.palette == 1 && shapes.start_row == 0, "palette or first row");
    for (uint8_t byte : shapes.reserved) require(byte == 0, "a reserved byte that is not 0");
    for (int tile = 0; tile < 16; tile++) {
        require((shapes.rows[tile] == 0) == (shapes.bytes[tile] == 0), "a register of rows or columns alone");
        require(tile < kTiles ? shapes.rows[tile] <= kRows && shapes.bytes[tile] <= kRowBytes : shapes.rows[tile] == 0, "a register that there is not");
    }
    unit() = {shapes, {}};
}

inline void tile_release() { emulated::unit() = {}; }

template <int TILE>
void tile_zero() {
    emulated::use(TILE);
    std::memset(emulated::unit().tiles[TILE], 0, sizeof emulated::unit().tiles[TILE]);
}

template <int TILE>
void tile_load(const void *from, long stride) {
    tile_zero<TILE>();
    emulated::Unit &u = emulated::unit();
    for (int row = 0; row < u.shapes.rows[TILE]; row++)
        std::memcpy(u.tiles[TILE][row], static_cast<const char *>(from) + row * stride, u.shapes.bytes[TILE]);
}

template <int TILE>
void tile_store(void *to, long stride) {
    emulated::use(TILE);
    const emulated::Unit &u = emulated::unit();
    for (int row = 0; row < u.shapes.rows[TILE]; row++)
        std::memcpy(static_cast<char *>(to) + row * stride, u.tiles[TILE][row], u.shapes.bytes[TILE]);
}

template <int SUM, int A, int B>
void tile_dot() {
    emulated::dot(SUM, A, B);
}

}  // namespace moebius
