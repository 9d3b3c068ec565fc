/* The structures of the helper kernels. */
#pragma once
#include <cstdint>

/* to[i] = random_e4m3(seed, i), or bf16(scale * random_unit(seed, i)). */
struct helper_fill { void *to; std::uint64_t seed; std::int64_t count; float scale; int codes; };
/* count times 16 bytes */
struct helper_bytes { const void *from; void *to; std::int64_t count; };
struct helper_multiply { float *to; int rounds; };

constexpr int kHelperMultiplyShared = 32768;
/* Of one block and round. */
constexpr double helper_e4m3_flops(bool hopper) { return hopper ? 2 * 4 * 2.0 * 64 * 128 * 32 : 8 * 4 * 2.0 * 16 * 8 * 32; }
constexpr double helper_bf16_flops() { return 8 * 4 * 2.0 * 16 * 8 * 16; }
