// What every kernel family needs: the chosen instruction set, the threads, and memory for one call at a time.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels.h"
#include "moebius_cpu.h"
#include "packer.h"
#include "rope.h"
#include "thread_pool.h"
#include "tiles.h"

namespace moebius {

struct Engine {
    const Kernels &kernels;
    const TileKernels *tiles;  // nullptr where they are not used
    ThreadPool pool;
    Packer packer{pool};
    RopeTable rope{};
    std::vector<float> input_floats{};
    std::vector<uint32_t> input_words{};
    std::vector<float> expert_floats{};

    // Whether a prompt's rows are multiplied with a matrix as tiles, which gives them other bits than generated tokens' rows get.
    bool tiled(const Matrix &matrix) const { return tiles != nullptr && fits_tiles(matrix); }

    // All products at once, their panels shared out among the threads. Where gated, a thread multiplies with a panel of each two of
    // them and gates what the first gives by what the second gives.
    void multiply(std::vector<Product> products, const Blocking &blocking, bool gated = false);
    void multiply_panel(const Product &product, int from, int to, const Blocking &blocking, float *scratch) const;

    void prepare(std::vector<Product> &products);

    // A buffer of the calling thread of at least `count` floats.
    static std::vector<float> &row_memory(long count);
};

inline Engine &engine_of(void *engine) { return *static_cast<Engine *>(engine); }
inline const Matrix &matrix_of(const void *matrix) { return *static_cast<const Matrix *>(matrix); }

}  // namespace moebius
