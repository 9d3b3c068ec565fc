/* The device of a machine without one: kernels compiled as C++ run thread by thread on fibers, with the instructions of ptx/
   acted out from their documented fragment, swizzle and barrier rules. It finds wrong indices, deadlocks and wrong layouts;
   it can't find races of the memory model (a copy is done the moment it is issued). */
#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "fiber.h"
#include "tensor_map.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __grid_constant__
#define __shared__ static
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define MOEBIUS_HOPPER 1
#define MOEBIUS_TMA 1
#define MOEBIUS_DYNAMIC_SHARED(name) std::uint8_t *name = emu::block().shared

struct uint2 { unsigned x, y; };
struct uint4 { unsigned x, y, z, w; };
struct float2 { float x, y; };
struct float4 { float x, y, z, w; };
struct int3_ { int x, y, z; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }

namespace emu {
constexpr int kSharedBytes = 232448;
constexpr std::size_t kStack = 128 * 1024;

struct Barrier { int arrived = 0; int generation = 0; };
struct Warp { std::uint64_t slot[32][10]; Barrier barrier; };
struct Fiber { Context context; std::vector<char> stack; bool done; };

struct Block {
    alignas(1024) std::uint8_t shared[kSharedBytes];
    std::vector<Fiber> fibers;
    std::vector<Warp> warps;
    Barrier barriers[16];
    Context scheduler;
    int current = 0;
    int threads = 0;
    int shared_limit = kSharedBytes;
    long progress = 0;
    int3_ index{}, grid{};
    std::function<void()> body, predecessor; /* predecessor: the rest of the kernel before */
    Barrier waiting;
};
inline Block &block() { static Block *one = new (std::align_val_t(1024)) Block; return *one; }
inline int thread() { return block().current; }
inline int lane() { return thread() % 32; }
inline Warp &warp() { return block().warps[thread() / 32]; }
inline void yield() { Block &b = block(); b.fibers[b.current].context.switch_to(b.scheduler); }
inline void arrive(Barrier &barrier, int count) {
    if (++barrier.arrived < count) return;
    barrier.arrived = 0;
    barrier.generation++;
    block().progress++;
}
inline void wait(Barrier &barrier, int count) {
    int generation = barrier.generation;
    arrive(barrier, count);
    while (barrier.generation == generation) yield();
}
inline void wait_warp() { wait(warp().barrier, 32); }
inline void entry() {
    Block &b = block();
    b.body();
    b.fibers[b.current].done = true;
    b.progress++;
    for (;;) yield();
}
/* Runs the kernel over the grid, one block after the other; shared memory starts as NaNs. */
inline void launch(int3_ grid, int threads, const std::function<void()> &body) {
    Block &b = block();
    b.threads = threads;
    b.grid = grid;
    b.body = body;
    if (int(b.fibers.size()) < threads) b.fibers.resize(threads); /* their stacks are kept */
    for (int z = 0; z < grid.z; z++)
        for (int y = 0; y < grid.y; y++)
            for (int x = 0; x < grid.x; x++) {
                b.index = {x, y, z};
                std::memset(b.shared, 0xff, sizeof b.shared);
                b.warps.assign((threads + 31) / 32, Warp{});
                for (auto &barrier : b.barriers) barrier = Barrier{};
                for (int t = 0; t < threads; t++) {
                    Fiber &f = b.fibers[t];
                    f.stack.resize(kStack);
                    f.done = false;
                    f.context.start(f.stack, entry);
                }
                long seen = -1;
                for (int idle = 0, left = threads; left > 0;) {
                    left = 0;
                    for (int t = 0; t < threads; t++) {
                        if (b.fibers[t].done) continue;
                        b.current = t;
                        b.scheduler.switch_to(b.fibers[t].context);
                        left += !b.fibers[t].done;
                    }
                    idle = b.progress == seen ? idle + 1 : 0;
                    seen = b.progress;
                    if (idle > 1000) {
                        std::fprintf(stderr, "emulator: deadlock in block %d,%d,%d\n", x, y, z);
                        std::abort();
                    }
                }
            }
}
/* Every lane gives up to 10 words; returns after all 32 have. leave() must follow the reads. */
inline void meet(const std::uint64_t *words, int count) {
    for (int i = 0; i < count; i++) warp().slot[lane()][i] = words[i];
    wait_warp();
}
inline void leave() { wait_warp(); }
template <class T> T exchange(T value, int from) {
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    meet(&word, 1);
    T result;
    std::memcpy(&result, &warp().slot[from & 31][0], sizeof result);
    leave();
    return result;
}
inline std::uint8_t *at(std::uint32_t address) {
    if (int(address) >= block().shared_limit) { std::fprintf(stderr, "emulator: shared address %u\n", address); std::abort(); }
    return block().shared + address;
}
inline float half_to_float(std::uint16_t h) {
    int e = h >> 10 & 31, m = h & 1023;
    float v = e == 0 ? std::ldexp(float(m), -24) : e == 31 ? (m ? NAN : INFINITY) : std::ldexp(1 + m / 1024.0f, e - 15);
    return h >> 15 ? -v : v;
}
inline float e4m3(std::uint8_t code) {
    static const std::array<float, 256> values = [] {
        std::array<float, 256> all{};
        for (int c = 0; c < 256; c++) {
            int e = c >> 3 & 15, m = c & 7;
            float v = e == 15 && m == 7 ? NAN : e == 0 ? std::ldexp(float(m), -9) : std::ldexp(1 + m / 8.0f, e - 7);
            all[c] = c >> 7 ? -v : v;
        }
        return all;
    }();
    return values[code];
}
inline float bf16(std::uint16_t c) { std::uint32_t u = std::uint32_t(c) << 16; float f; std::memcpy(&f, &u, 4); return f; }
}  // namespace emu

struct EmuIndex { int x; };
#define threadIdx (EmuIndex{emu::thread()})
#define blockDim (EmuIndex{emu::block().threads})
#define blockIdx (emu::block().index)
#define gridDim (emu::block().grid)

inline void __syncthreads() { emu::wait(emu::block().barriers[0], emu::block().threads); }
inline void __syncwarp() { emu::wait_warp(); }
inline void __threadfence() {}
template <class T> T __shfl_sync(unsigned, T v, int from) { return emu::exchange(v, from); }
template <class T> T __shfl_xor_sync(unsigned, T v, int mask) { return emu::exchange(v, emu::lane() ^ mask); }
template <class T> T __shfl_up_sync(unsigned, T v, int delta) {
    int from = emu::lane() - delta;
    return emu::exchange(v, from < 0 ? emu::lane() : from);
}
inline unsigned __match_any_sync(unsigned, int v) {
    std::uint64_t word = std::uint32_t(v);
    emu::meet(&word, 1);
    unsigned mask = 0;
    for (int i = 0; i < 32; i++) mask |= unsigned(emu::warp().slot[i][0] == word) << i;
    emu::leave();
    return mask;
}
inline unsigned __ballot_sync(unsigned, int v) {
    std::uint64_t word = v != 0;
    emu::meet(&word, 1);
    unsigned mask = 0;
    for (int i = 0; i < 32; i++) mask |= unsigned(emu::warp().slot[i][0]) << i;
    emu::leave();
    return mask;
}
template <class T> T __ldcg(const T *p) { return *p; }
inline int __popc(unsigned v) { return __builtin_popcount(v); }
template <class T> T atomicAdd(T *p, T v) { T old = *p; *p += v; return old; }
inline int atomicMin(int *p, int v) { int old = *p; if (v < old) *p = v; return old; }
inline int atomicOr(int *p, int v) { int old = *p; *p |= v; return old; }
inline float __uint_as_float(unsigned u) { float f; std::memcpy(&f, &u, 4); return f; }
inline unsigned __float_as_uint(float f) { unsigned u; std::memcpy(&u, &f, 4); return u; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float rsqrt_(float x) { return 1.0f / std::sqrt(x); }
using std::isfinite;
template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T max(T a, T b) { return a < b ? b : a; }

#include "instructions.h"
