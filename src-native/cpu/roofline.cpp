// What this machine can do at most, measured on all threads of the engine: the best of many short rounds, so that other work on the machine does not lower it.
//
//   read: a sum over 256 MiB of floats, larger than any cache. peak: multiply-adds on registers, nothing else.
#include <sys/mman.h>

#include <algorithm>
#include <chrono>

#include "engine.h"

using namespace moebius;

namespace {

constexpr long kFloats = 64L << 20;
constexpr int kPieces = 256;
constexpr long kMultiplyRounds = 5000;
constexpr int kRounds = 40;

template <class Body>
double best_seconds(ThreadPool &pool, const Body &body) {
    double best = 1e9;
    for (int round = 0; round < kRounds; round++) {
        const auto start = std::chrono::steady_clock::now();
        pool.parallel(kPieces, 1, [&](int begin, int end, int) {
            for (int piece = begin; piece < end; piece++) body(piece);
        });
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
}

}  // namespace

double moebius_read_bandwidth(void *engine) {
    Engine &e = engine_of(engine);
    const long bytes = kFloats * sizeof(float);
    float *memory = static_cast<float *>(moebius_allocate(bytes));
    if (memory == nullptr) return 0;
    madvise(memory, bytes, MADV_HUGEPAGE);
    std::fill(memory, memory + kFloats, 1.0f);
    volatile float sink = 0;
    const long piece = kFloats / kPieces;
    const double seconds = best_seconds(e.pool, [&](int i) { sink = e.kernels.sum(memory + i * piece, piece); });
    moebius_free(memory, bytes);
    return bytes / seconds;
}

double moebius_peak_flops(void *engine) {
    Engine &e = engine_of(engine);
    volatile double flops = 0;
    const double seconds = best_seconds(e.pool, [&](int) { flops = (e.tiles != nullptr ? e.tiles->multiply_adds : e.kernels.multiply_adds)(kMultiplyRounds); });
    return flops * kPieces / seconds;
}
