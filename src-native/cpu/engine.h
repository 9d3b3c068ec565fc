// What every kernel family needs: the chosen instruction set, the threads, and memory for one call at a time.
#pragma once
#include <cstdint>
#include <vector>

#include "arena.h"
#include "kernels.h"
#include "moebius_cpu.h"
#include "rope.h"
#include "thread_pool.h"

namespace moebius {

struct Engine {
    const Kernels &kernels;
    ThreadPool pool;
    Arena weights{};
    RopeTable rope{};
    std::vector<float> input_floats{};
    std::vector<uint32_t> input_words{};

    // Repacks a matrix for the kernels, if they want that and memory is there.
    void pack(Matrix &matrix);

    // All products at once, their panels shared out among the threads.
    void multiply(std::vector<Product> products, const Blocking &blocking);

    void prepare(std::vector<Product> &products);

    // A buffer of the calling thread.
    static std::vector<float> &row_memory(int columns);
};

inline Engine &engine_of(void *engine) { return *static_cast<Engine *>(engine); }
inline const Matrix &matrix_of(const void *matrix) { return *static_cast<const Matrix *>(matrix); }

}  // namespace moebius
