// What every kernel family needs: the chosen instruction set, the threads, and memory for one call at a time.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels.h"
#include "moebius_cpu.h"
#include "thread_pool.h"

namespace moebius {

struct Engine {
    const Kernels &kernels;
    ThreadPool pool;

    // Rows of the input of a matrix, quantised as it asks; x itself where it asks for nothing.
    const float *quantized(const Matrix &matrix, const float *x, int rows, std::vector<float> &memory);

    // All products at once, their panels shared out among the threads.
    void multiply(const std::vector<Product> &products, const Blocking &blocking);

    // A buffer of the calling thread.
    static std::vector<float> &row_memory(int columns);
};

inline Engine &engine_of(void *engine) { return *static_cast<Engine *>(engine); }
inline const Matrix &matrix_of(const void *matrix) { return *static_cast<const Matrix *>(matrix); }

}  // namespace moebius
