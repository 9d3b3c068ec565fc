// Instruction sets, memory and matrices; rounding of inputs to e4m3.
#include "engine.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "e4m3.h"
#include "pages.h"

namespace moebius {

std::vector<float> &Engine::row_memory(long count) {
    static thread_local std::vector<float> memory;
    if (memory.size() < static_cast<size_t>(count)) memory.resize(count);
    return memory;
}

namespace {

// code = e4m3(x / scale), as a float.
void encode(const float *x, int count, float scale, float *codes) {
    for (int i = 0; i < count; i++) codes[i] = round_e4m3(x[i] / scale);
}

// Codes of a row and a scale for each group of channels; a group of zeros has scale 0.
void encode_row(const Matrix &matrix, const float *x, float *codes, float *scales) {
    const int group = matrix.activation == MOEBIUS_STATIC ? matrix.columns : matrix.group;
    for (int begin = 0, i = 0; begin < matrix.columns; begin += group, i++) {
        const int count = std::min(group, matrix.columns - begin);
        float largest = 0;
        for (int c = 0; c < count; c++) largest = std::max(largest, std::fabs(x[begin + c]));
        scales[i] = matrix.activation == MOEBIUS_STATIC ? matrix.activation_scale : std::min(largest, matrix.activation_scale) / 448.0f;
        encode(x + begin, count, scales[i] > 0 ? scales[i] : 1, codes + begin);
    }
}

bool same_input(const Product &a, const Product &b) {
    const Matrix &m = *a.matrix, &n = *b.matrix;
    return a.x == b.x && (m.form == Form::kPlain) == (n.form == Form::kPlain) && m.activation == n.activation && m.group == n.group &&
           m.activation_scale == n.activation_scale && m.packed_blocks == n.packed_blocks && a.tiles == b.tiles;
}

int groups(const Matrix &matrix) {
    return matrix.activation == MOEBIUS_STATIC ? 1 : (matrix.columns + matrix.group - 1) / matrix.group;
}

long words_of(const Product &product) {
    const Matrix &matrix = *product.matrix;
    if (!product.tiles) return product.rows * matrix.packed_columns;
    const int terms = matrix.activation == MOEBIUS_KEEP ? 2 : 1;
    return (product.rows + kTileRows - 1) / kTileRows * terms * tiles_across(matrix.packed_columns) * kTileBytes / 4;
}

long line_up(long words) { return (words + 15) / 16 * 16; }

// Kernels may read so many bytes before a panel (packed_f32.h); a cache line.
constexpr int kReadBefore = 64;

template <class T>
T *line_up(T *memory) { return reinterpret_cast<T *>((reinterpret_cast<uintptr_t>(memory) + 63) / 64 * 64); }

}  // namespace

// Input rows as each product's kernel reads them: quantised where the matrix asks for it, as words for a packed one.
void Engine::prepare(std::vector<Product> &products) {
    size_t floats = 0, words = 0;
    for (const Product &product : products) {
        const Matrix &matrix = *product.matrix;
        if (matrix.activation != MOEBIUS_KEEP) floats += product.rows * static_cast<long>(matrix.columns + matrix.packed_blocks + groups(matrix));
        words += line_up(words_of(product));
    }
    if (input_floats.size() < floats) input_floats.resize(floats);
    if (input_words.size() < words + 16) input_words.resize(words + 16);
    float *next_float = input_floats.data();
    uint32_t *next_word = line_up(input_words.data());
    const Product *before = nullptr;
    Product asked{};
    for (Product &product : products) {
        const Matrix &matrix = *product.matrix;
        if (before != nullptr && same_input(asked, product)) {
            product.x = before->x, product.words = before->words, product.factors = before->factors;
            before = &product;
            continue;
        }
        asked = product;
        before = &product;
        const bool packed = matrix.form != Form::kPlain, codes = matrix.activation != MOEBIUS_KEEP;
        if (!packed && !codes) continue;
        const long columns = matrix.columns, scales_count = codes ? groups(matrix) : 0, blocks = matrix.packed_blocks;
        const float *x = product.x;
        float *values = next_float, *scales = values + product.rows * columns, *factors = scales + product.rows * scales_count;
        uint32_t *rows = next_word;
        const bool as_tiles = product.tiles;
        pool.parallel(product.rows, 4, [&](int begin, int end, int) {
            for (long t = begin; t < end; t++) {
                if (!codes) {
                    if (as_tiles) tiles->input_row(x + t * columns, columns, 2, t, rows);
                    else kernels.input_row(x + t * columns, columns, matrix.packed_columns, rows + t * matrix.packed_columns);
                    continue;
                }
                float *own = values + t * columns, *own_scales = scales + t * scales_count;
                encode_row(matrix, x + t * columns, own, own_scales);
                if (packed && kernels.brain_inputs) {
                    if (as_tiles) tiles->input_row(own, columns, 1, t, rows);
                    else kernels.code_row(own, columns, matrix.packed_columns, rows + t * matrix.packed_columns / 2);
                    for (long b = 0; b < blocks; b++) factors[t * blocks + b] = own_scales[scales_count == 1 ? 0 : b];
                } else {
                    for (long c = 0; c < columns; c++) own[c] *= own_scales[scales_count == 1 ? 0 : c / matrix.group];
                    if (packed) kernels.input_row(own, columns, matrix.packed_columns, rows + t * matrix.packed_columns);
                }
            }
        });
        if (packed) product.words = rows;
        if (packed && codes && kernels.brain_inputs) product.factors = factors;
        if (!packed) product.x = values;
        if (codes) next_float = factors + product.rows * blocks;
        if (packed) next_word += line_up(words_of(product));
    }
}

void Engine::multiply_panel(const Product &product, int from, int to, const Blocking &blocking, float *scratch) const {
    const Matrix &matrix = *product.matrix;
    if (matrix.form == Form::kPlain) return kernels.multiply(product, from, to, blocking.direct, scratch);
    const int first = from / kPackedRows, last = (to + kPackedRows - 1) / kPackedRows;
    const unsigned char *panels = matrix.packed.load(std::memory_order_acquire);
    if (panels != nullptr) {
        panels += first * panel_bytes(matrix);
    } else {
        unsigned char *own = reinterpret_cast<unsigned char *>(line_up(scratch)) + kReadBefore;
        pack_panels<Store::kCached>(matrix, first, last, own);
        panels = own;
        scratch = reinterpret_cast<float *>(own + (last - first) * panel_bytes(matrix));
    }
    if (product.tiles)
        tiles->multiply(product, panels, from, to, reinterpret_cast<unsigned char *>(line_up(scratch)));
    else
        kernels.multiply_packed(product, panels, from, to, blocking, scratch);
}

void Engine::multiply(std::vector<Product> products, const Blocking &blocking, bool gated) {
    prepare(products);
    const size_t together = gated ? 2 : 1;
    std::vector<int> ends;
    int tasks = 0;
    long scratch_floats = 0, own_panels = 0;
    for (size_t i = 0; i < products.size(); i++) {
        const Product &product = products[i];
        const Matrix &matrix = *product.matrix;
        if (i % together == 0) ends.push_back(tasks += (matrix.rows + blocking.panel - 1) / blocking.panel);
        if (product.tiles)
            scratch_floats = std::max(scratch_floats, blocking.panel / kPackedRows * tiles_across(matrix.packed_columns) * kTileBytes / 4 + 16);
        else if (product.rows > blocking.direct || matrix.type == MOEBIUS_INT4)
            scratch_floats = std::max(scratch_floats, matrix.form == Form::kPlain ? blocking.panel * static_cast<long>(matrix.columns)
                                                                                  : std::max({32, blocking.interleave, blocking.panel / 2}) * matrix.packed_columns);
        if (matrix.form != Form::kPlain && matrix.packed == nullptr)
            own_panels = std::max(own_panels, blocking.panel / kPackedRows * panel_bytes(matrix) / 4 + 32);
    }
    pool.parallel(tasks, 1, blocking.threads, [&](int begin, int end, int) {
        float *scratch = row_memory(scratch_floats + own_panels).data();
        for (int task = begin; task < end; task++) {
            const size_t i = std::upper_bound(ends.begin(), ends.end(), task) - ends.begin();
            const Product *first = &products[i * together];
            const long rows = first->matrix->rows;
            const int from = (i == 0 ? task : task - ends[i - 1]) * blocking.panel;
            const int to = static_cast<int>(std::min<long>(rows, from + blocking.panel));
            for (const Product *product = first; product < first + together; product++)
                multiply_panel(*product, from, to, blocking, scratch);
            for (long t = 0; gated && t < first->rows; t++)
                kernels.swiglu(first[0].out + t * rows + from, first[1].out + t * rows + from, to - from);
        }
    });
    if (own_panels > 0) packer.begin();
}

}  // namespace moebius

using moebius::Engine;
using moebius::Matrix;

int moebius_supports(int instruction_set) {
    __builtin_cpu_init();
    switch (instruction_set) {
        case MOEBIUS_AMX: return moebius_supports(MOEBIUS_AVX512_BF16) && moebius::tiles_usable();
        case MOEBIUS_AVX512_BF16:
            return moebius_supports(MOEBIUS_AVX512) && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vbmi");
        case MOEBIUS_AVX512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
        case MOEBIUS_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
        default: return __builtin_cpu_supports("sse4.2") != 0;
    }
}

const char *moebius_build() { return MOEBIUS_BUILD; }

void *moebius_create(int instruction_set, int threads) {
    const bool tiles = instruction_set == MOEBIUS_AMX;
    const moebius::Kernels &kernels = tiles || instruction_set == MOEBIUS_AVX512_BF16 ? moebius::kernels_avx512bf16
                                      : instruction_set == MOEBIUS_AVX512 ? moebius::kernels_avx512
                                      : instruction_set == MOEBIUS_AVX2 ? moebius::kernels_avx2
                                                                        : moebius::kernels_baseline;
    return new Engine{kernels, tiles ? &moebius::kTileKernels : nullptr, moebius::ThreadPool(threads)};
}

void moebius_destroy(void *engine) { delete static_cast<Engine *>(engine); }

void *moebius_allocate(int64_t bytes) {
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

void moebius_free(void *memory, int64_t bytes) { munmap(memory, bytes); }

void *moebius_matrix(void *engine, const void *data, int type, int rows, int columns, const float *scales, int scale_count,
                     int block_rows, int block_columns, int activation, float activation_scale, int group, int mapped) {
    auto *matrix = new Matrix{static_cast<const unsigned char *>(data), type, rows, columns,
                              std::vector<float>(scales, scales + scale_count), block_rows, block_columns,
                              activation, activation_scale, group};
    Engine &e = moebius::engine_of(engine);
    if (mapped) moebius::fetch_pages(matrix->data, moebius::data_bytes(*matrix), e.pool);
    const moebius::Form form = moebius::best_form(*matrix, e.kernels.brain_inputs);
    if (form != moebius::Form::kPlain) {
        lay_out(*matrix, form);
        mapped ? e.packer.add(*matrix) : e.packer.pack(*matrix);
    }
    return matrix;
}

void moebius_finish_packing(void *engine) { moebius::engine_of(engine).packer.finish(); }

int64_t moebius_unpacked_bytes(void *engine) { return moebius::engine_of(engine).packer.bytes_left(); }

int moebius_matrix_packed(const void *matrix) { return static_cast<const Matrix *>(matrix)->packed != nullptr; }

void moebius_matrix_free(void *matrix) {
    delete static_cast<Matrix *>(matrix);
}
