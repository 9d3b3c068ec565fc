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
    const float *quantized(const Matrix &matrix, const float *x, int rows, std::vector<float> &memory) const;

    // body(row of the matrix dequantised, row) for all rows, each row decoded once.
    template <typename Body>
    void each_row(const Matrix &matrix, const Body &body) {
        pool.parallel(matrix.rows, 16, [&](int begin, int end, int) {
            std::vector<float> &row = row_memory(matrix.columns);
            for (int n = begin; n < end; n++) {
                kernels.decode_row(matrix, n, row.data());
                body(row.data(), n);
            }
        });
    }

    // A buffer of the calling thread.
    static std::vector<float> &row_memory(int columns);
};

inline Engine &engine_of(void *engine) { return *static_cast<Engine *>(engine); }
inline const Matrix &matrix_of(const void *matrix) { return *static_cast<const Matrix *>(matrix); }

}  // namespace moebius
