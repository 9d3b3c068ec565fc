// The matrix unit's instructions under names; test/emulated/tile.h has the same functions for any machine. The compiler's own
// intrinsics don't tell it that a tile load reads memory.
#pragma once
#include <cstdint>

namespace moebius {
namespace {

// What LDTILECFG reads.
struct alignas(64) TileShapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];  // of a row
    uint8_t rows[16];
};

// For the calling thread, until tile_release.
inline void tile_configure(const TileShapes &shapes) { asm volatile("ldtilecfg %0" : : "m"(shapes)); }
inline void tile_release() { asm volatile("tilerelease"); }

template <int TILE>
inline void tile_zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(TILE));
}

// Rows are `stride` bytes apart.
template <int TILE>
inline void tile_load(const void *from, long stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(TILE) : "memory");
}
template <int TILE>
inline void tile_store(void *to, long stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(TILE) : "memory");
}

// SUM[m][n] += sum over pairs p of A[m][p] . B[p][n], pairs of bfloat16.
template <int SUM, int A, int B>
inline void tile_dot() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(SUM), "i"(A), "i"(B));
}

}  // namespace
}  // namespace moebius
