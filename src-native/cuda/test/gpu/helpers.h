/* The structures of the helper kernels. */
#pragma once
#include <cstdint>

/* to[i] = random_e4m3(seed, i), or bf16(scale * random_unit(seed, i)). */
struct helper_fill { void *to; std::uint64_t seed; std::int64_t count; float scale; int codes; };
