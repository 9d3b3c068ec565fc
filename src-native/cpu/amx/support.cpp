#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tiles.h"

namespace moebius {

namespace {

bool processor_has_tiles() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 27)) return false;  // XGETBV
    constexpr unsigned kBrain = 1u << 22, kTile = 1u << 24;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & (kBrain | kTile)) != (kBrain | kTile)) return false;
    // Palette 1 has 8 registers of 16 rows of 64 bytes.
    if (!__get_cpuid_count(0x1d, 1, &a, &b, &c, &d) || b != (8u << 16 | 64u) || (c & 0xffff) != 16) return false;
    unsigned low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    constexpr unsigned kTileState = 3u << 17;  // The system saves both parts of it.
    return (low & kTileState) == kTileState;
}

// Linux gives a process room for tile data when it is asked for (since 5.16).
bool permitted() {
    constexpr long kRequestPermission = 0x1023, kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

bool tiles_usable() {
    static const bool usable = processor_has_tiles() && permitted();
    return usable;
}

}  // namespace moebius
