/* Every kernel by its symbol, run in emulation: what the tests' device and a driver without a GPU share. */
#pragma once
#include <cstddef>
#include <functional>

namespace emu {

constexpr int kComputeCapability = 90, kMultiprocessors = 3;

/* Bytes of the structure that a kernel takes; 0 if there is no kernel of that name. */
std::size_t parameter_bytes(const char *name);
/* Runs a kernel to its end over the grid; parameters point to its structure. One thread calls at a time. */
void run_kernel(const char *name, const int (&grid)[3], int threads, int shared_bytes, const void *parameters);

/* What the kernel before the next one still does: done once all threads of the next one's first block wait for it. */
void precede(std::function<void()> work);

}  // namespace emu
