// Instruction sets, memory and matrices; rounding of inputs to e4m3.
#include "engine.h"
#include "e4m3.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace moebius {

std::vector<float> &Engine::row_memory(int columns) {
    static thread_local std::vector<float> memory;
    if (memory.size() < static_cast<size_t>(columns)) memory.resize(columns);
    return memory;
}

namespace {

void quantize(const float *x, int count, float scale, float *out) {
    for (int i = 0; i < count; i++) out[i] = round_e4m3(x[i] / scale) * scale;
}

void quantize_groups(const float *x, int columns, int group, float bound, float *out) {
    for (int begin = 0; begin < columns; begin += group) {
        int count = std::min(group, columns - begin);
        float largest = 0;
        for (int i = 0; i < count; i++) largest = std::max(largest, std::fabs(x[begin + i]));
        if (largest > 0)
            quantize(x + begin, count, std::min(largest, bound) / 448.0f, out + begin);
        else
            std::copy(x + begin, x + begin + count, out + begin);
    }
}

}  // namespace

const float *Engine::quantized(const Matrix &matrix, const float *x, int rows, std::vector<float> &memory) {
    if (matrix.activation == MOEBIUS_KEEP) return x;
    const long columns = matrix.columns;
    memory.resize(rows * columns);
    pool.parallel(rows, 1, [&](int begin, int end, int) {
        for (long t = begin; t < end; t++) {
            if (matrix.activation == MOEBIUS_STATIC)
                quantize(x + t * columns, columns, matrix.activation_scale, memory.data() + t * columns);
            else
                quantize_groups(x + t * columns, columns, matrix.group, matrix.activation_scale, memory.data() + t * columns);
        }
    });
    return memory.data();
}

void Engine::multiply(const std::vector<Product> &products) {
    std::vector<int> ends;
    int panels = 0, columns = 0;
    for (const Product &product : products) {
        ends.push_back(panels += (product.matrix->rows + kPanelRows - 1) / kPanelRows);
        columns = std::max(columns, product.matrix->columns);
    }
    pool.parallel(panels, 1, [&](int begin, int end, int) {
        float *scratch = row_memory(kPanelRows * columns).data();
        for (int panel = begin; panel < end; panel++) {
            const size_t i = std::upper_bound(ends.begin(), ends.end(), panel) - ends.begin();
            kernels.multiply(products[i], i == 0 ? panel : panel - ends[i - 1], scratch);
        }
    });
}

}  // namespace moebius

using moebius::Engine;
using moebius::Matrix;

int moebius_supports(int instruction_set) {
    __builtin_cpu_init();
    switch (instruction_set) {
        case MOEBIUS_AVX512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
        case MOEBIUS_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
        default: return __builtin_cpu_supports("sse4.2") != 0;
    }
}

void *moebius_create(int instruction_set, int threads) {
    const moebius::Kernels &kernels = instruction_set == MOEBIUS_AVX512 ? moebius::kernels_avx512
                                      : instruction_set == MOEBIUS_AVX2 ? moebius::kernels_avx2
                                                                        : moebius::kernels_baseline;
    return new Engine{kernels, moebius::ThreadPool(threads)};
}

void moebius_destroy(void *engine) { delete static_cast<Engine *>(engine); }

void *moebius_allocate(int64_t bytes) {
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

void moebius_free(void *memory, int64_t bytes) { munmap(memory, bytes); }

void *moebius_matrix(const void *data, int type, int rows, int columns, const float *scales, int scale_count,
                     int block_rows, int block_columns, int activation, float activation_scale, int group) {
    return new Matrix{static_cast<const unsigned char *>(data), type, rows, columns,
                      std::vector<float>(scales, scales + scale_count), block_rows, block_columns,
                      activation, activation_scale, group};
}

void moebius_matrix_free(void *matrix) { delete static_cast<Matrix *>(matrix); }
