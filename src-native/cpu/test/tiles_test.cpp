// The engine of AMX over emulated instructions: its products against double precision, and whose bits depend on what.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "e4m3.h"
#include "emulated/tile.h"
#include "engine.h"

using namespace moebius;

namespace moebius {
extern const Kernels kernels_emulated;
}

namespace {

int failures = 0;

void check(bool holds, const std::string &what) {
    if (!holds && failures++ < 20) std::fprintf(stderr, "FAILED: %s\n", what.c_str());
}

using Floats = std::vector<float>;
using Marks = std::vector<unsigned char>;

std::mt19937 numbers(7);

Floats random_floats(long count, float spread) {
    std::normal_distribution<float> normal(0, spread);
    Floats values(count);
    for (float &value : values) value = normal(numbers);
    return values;
}

// A weight of any format, and what it stands for.
struct Weight {
    int type, rows, columns, block_rows, block_columns, activation, group;
    std::vector<unsigned char> data;
    Floats scales;

    std::string name() const {
        return "type " + std::to_string(type) + ", " + std::to_string(rows) + " x " + std::to_string(columns) + ", scales per " + std::to_string(block_rows) + " x " +
               std::to_string(block_columns) + ", inputs " + std::to_string(activation) + " by " + std::to_string(group);
    }

    double at(int row, int column) const {
        const long i = static_cast<long>(row) * columns + column;
        if (type == MOEBIUS_BF16) {
            const uint32_t bits = static_cast<uint32_t>(data[2 * i] | data[2 * i + 1] << 8) << 16;
            float value;
            std::memcpy(&value, &bits, sizeof value);
            return value;
        }
        const int exponent = data[i] >> 3 & 15, mantissa = data[i] & 7;
        const double size = exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
        const int across = (columns + block_columns - 1) / block_columns;
        return (data[i] & 128 ? -size : size) * scales[row / block_rows * across + column / block_columns];
    }
};

Weight random_weight(int type, int rows, int columns, int block_rows, int block_columns, int activation = MOEBIUS_KEEP, int group = 0) {
    Weight w{type, rows, columns, block_rows, block_columns, activation, group == 0 ? columns : group, {}, {}};
    w.data.resize(static_cast<long>(rows) * columns * (type == MOEBIUS_BF16 ? 2 : 1));
    for (unsigned char &byte : w.data) byte = numbers() % 256;
    for (size_t i = 0; i < w.data.size(); i++) {
        if (type == MOEBIUS_BF16 && i % 2 == 1) w.data[i] = 0x3e | (w.data[i] & 0x81);
        if (type == MOEBIUS_E4M3 && (w.data[i] & 0x7f) == 0x7f) w.data[i] = 0x01;
    }
    if (type == MOEBIUS_E4M3) {
        w.scales = random_floats(static_cast<long>((rows + block_rows - 1) / block_rows) * ((columns + block_columns - 1) / block_columns), 0.01f);
        for (float &scale : w.scales) scale = std::fabs(scale) + 0.001f;
    }
    return w;
}

struct Loaded {
    void *matrix;
    Loaded(Engine &engine, const Weight &w)
        : matrix(moebius_matrix(&engine, w.data.data(), w.type, w.rows, w.columns, w.scales.data(), static_cast<int>(w.scales.size()), w.block_rows,
                                w.block_columns, w.activation, w.activation == MOEBIUS_STATIC ? 0.02f : INFINITY, w.group, 0)) {}
    Loaded(const Loaded &) = delete;
    ~Loaded() { moebius_matrix_free(matrix); }
};

struct Machine {
    Engine engine;
    explicit Machine(int threads, bool tiles = true) : engine{kernels_emulated, tiles ? &kTileKernels : nullptr, ThreadPool(threads)} {}
};

// Rows [from, to) of x through the matrix, each marked as given.
Floats project(int threads, int panel, const Weight &w, const Floats &x, const Marks &prompt, int from, int to, bool tiles = true, int interleave = 0) {
    Machine machine(threads, tiles);
    Loaded loaded(machine.engine, w);
    for (float &left_over : Engine::row_memory(1 << 16)) left_over = NAN;
    Floats out(static_cast<long>(to - from) * w.rows, 0.5f);
    moebius_project(&machine.engine, x.data() + static_cast<long>(from) * w.columns, loaded.matrix, prompt.data() + from, to - from, out.data(), 1, threads, panel, 8, interleave);
    check(emulated::unit().shapes.palette == 0, "the tiles are released after " + w.name());
    return out;
}

bool same_rows(const Floats &a, long row_a, const Floats &b, long row_b, long count, long width) {
    return std::memcmp(a.data() + row_a * width, b.data() + row_b * width, count * width * sizeof(float)) == 0;
}

std::vector<Weight> awkward_weights() {
    std::vector<Weight> weights;
    for (int rows : {16, 17, 50, 96})
        for (int columns : {4, 31, 33, 100, 300}) {
            weights.push_back(random_weight(MOEBIUS_E4M3, rows, columns, rows, columns));
            weights.push_back(random_weight(MOEBIUS_BF16, rows, columns, rows, columns));
        }
    for (int activation : {MOEBIUS_KEEP, MOEBIUS_STATIC, MOEBIUS_PER_GROUP}) {
        weights.push_back(random_weight(MOEBIUS_E4M3, 50, 300, 1, 300, activation));
        weights.push_back(random_weight(MOEBIUS_E4M3, 50, 300, 32, 128, activation));
        weights.push_back(random_weight(MOEBIUS_E4M3, 50, 300, 16, 52, activation));
    }
    weights.push_back(random_weight(MOEBIUS_E4M3, 50, 300, 32, 128, MOEBIUS_PER_GROUP, 128));
    return weights;
}

void pairs_are_summed_as_documented() {
    alignas(64) TileShapes shapes{1, 0, {}, {4, 8, 4}, {1, 1, 2}};
    tile_configure(shapes);
    // One element of two pairs: what is too small for a normal number counts as nothing, before and after.
    const uint16_t a[4] = {0x3f80, 0x4000, 0x0001, 0x3f80}, b[2][2] = {{0x4040, 0x3f00}, {0x7f00, 0x4080}};
    float sum = 1e-39f;
    tile_load<0>(&sum, 4), tile_load<1>(a, 8), tile_load<2>(b, 4);
    tile_dot<0, 1, 2>();
    tile_store<0>(&sum, 4);
    tile_release();
    check(sum == 1 * 3 + 2 * 0.5f + 1 * 4, "pairs are summed as documented");
}

void products_agree_with_double_precision() {
    for (const Weight &w : awkward_weights())
        for (int rows : {1, 15, 16, 17, 40}) {
            const Floats x = random_floats(static_cast<long>(rows) * w.columns, 1), out = project(2, 32, w, x, Marks(rows, 1), 0, rows);
            for (int t = 0; t < rows; t++) {
                std::vector<double> seen(x.begin() + static_cast<long>(t) * w.columns, x.begin() + static_cast<long>(t + 1) * w.columns);
                for (int begin = 0; w.activation != MOEBIUS_KEEP && begin < w.columns; begin += w.group) {
                    const int end = std::min(w.columns, begin + w.group);
                    float largest = 0;
                    for (int c = begin; c < end; c++) largest = std::max(largest, std::fabs(static_cast<float>(seen[c])));
                    const float scale = w.activation == MOEBIUS_STATIC ? 0.02f : largest / 448;
                    for (int c = begin; c < end; c++) seen[c] = static_cast<double>(round_e4m3(static_cast<float>(seen[c]) / scale)) * scale;
                }
                for (int n = 0; n < w.rows; n++) {
                    double expected = 0.5, size = 1;
                    for (int c = 0; c < w.columns; c++) expected += w.at(n, c) * seen[c], size += std::fabs(w.at(n, c) * seen[c]);
                    const double error = std::fabs(out[static_cast<long>(t) * w.rows + n] - expected);
                    check(error <= size * 0x1p-16, w.name() + ", row " + std::to_string(t) + " of " + std::to_string(rows) + ", column " + std::to_string(n) + ": off by " + std::to_string(error));
                }
            }
        }
}

void bits_depend_on_neither_rows_nor_cuts_nor_blocking() {
    constexpr int kRows = 512;
    for (const Weight &w : {random_weight(MOEBIUS_E4M3, 50, 100, 50, 100), random_weight(MOEBIUS_E4M3, 50, 300, 32, 128), random_weight(MOEBIUS_BF16, 33, 70, 33, 70),
                            random_weight(MOEBIUS_E4M3, 50, 200, 50, 200, MOEBIUS_STATIC), random_weight(MOEBIUS_E4M3, 33, 300, 32, 128, MOEBIUS_PER_GROUP, 128)}) {
        const Floats x = random_floats(static_cast<long>(kRows) * w.columns, 1);
        const Marks prompt(kRows, 1);
        const Floats whole = project(1, 64, w, x, prompt, 0, kRows);
        for (int panel : {16, 48}) check(project(3, panel, w, x, prompt, 0, kRows) == whole, w.name() + " in panels of " + std::to_string(panel));
        for (int rows : {1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 257})
            check(same_rows(project(2, 32, w, x, prompt, 0, rows), 0, whole, 0, rows, w.rows), w.name() + " in " + std::to_string(rows) + " rows");
        for (int begin = 0, end, count = 1; begin < kRows; begin = end, count += 40) {
            end = std::min(kRows, begin + count);
            check(same_rows(project(2, 32, w, x, prompt, begin, end), 0, whole, begin, end - begin, w.rows), w.name() + " cut at " + std::to_string(begin));
        }
        const Floats generated = project(1, 64, w, x, prompt, 0, kRows, false);
        for (int interleave : {16, 32, 64})
            for (int rows : {1, 3, 4, 5, 8, 9, 20, 100})
                check(same_rows(project(2, 64, w, x, prompt, 0, rows, false, interleave), 0, generated, 0, rows, w.rows),
                      w.name() + ", " + std::to_string(interleave) + " side by side, " + std::to_string(rows) + " rows");
    }
}

void rows_of_prompts_and_generated_ones_keep_their_bits_beside_each_other() {
    constexpr int kRows = 77;
    for (const Weight &w : awkward_weights()) {
        const Floats x = random_floats(static_cast<long>(kRows) * w.columns, 1);
        Marks mixed(kRows);
        for (unsigned char &mark : mixed) mark = numbers() % 2;
        const Floats of_prompt = project(2, 32, w, x, Marks(kRows, 1), 0, kRows), generated = project(2, 32, w, x, Marks(kRows, 0), 0, kRows);
        const Floats both = project(2, 32, w, x, mixed, 0, kRows);
        for (int t = 0; t < kRows; t++)
            check(same_rows(both, t, mixed[t] ? of_prompt : generated, t, 1, w.rows), w.name() + " beside others, row " + std::to_string(t));
        check(project(2, 32, w, x, mixed, 0, kRows, false) == generated, w.name() + " without tiles");
    }
}

void products_repack_what_is_not_repacked_yet() {
    for (const Weight &w : awkward_weights())
        for (int rows : {1, 9, 40})
            for (unsigned char prompt : {0, 1}) {
                const Floats x = random_floats(static_cast<long>(rows) * w.columns, 1);
                Machine machine(2);
                Loaded loaded(machine.engine, w);
                Floats repacked(static_cast<long>(rows) * w.rows), own(repacked.size());
                const Marks marks(rows, prompt);
                moebius_project(&machine.engine, x.data(), loaded.matrix, marks.data(), rows, repacked.data(), 0, 2, 32, 8, 0);
                static_cast<Matrix *>(loaded.matrix)->packed = nullptr;
                moebius_project(&machine.engine, x.data(), loaded.matrix, marks.data(), rows, own.data(), 0, 2, 32, 8, 0);
                check(own == repacked, w.name() + " repacked by " + std::to_string(rows) + " rows");
            }
}

void blocks_of_scales_that_are_no_whole_tiles_are_left_to_dot_products() {
    const Weight w = random_weight(MOEBIUS_E4M3, 50, 300, 16, 52), whole = random_weight(MOEBIUS_E4M3, 50, 300, 16, 64);
    const Floats x = random_floats(9 * 300, 1);
    check(project(1, 64, w, x, Marks(9, 1), 0, 9) == project(1, 64, w, x, Marks(9, 0), 0, 9), "blocks of 52 columns");
    check(project(1, 64, whole, x, Marks(9, 1), 0, 9) != project(1, 64, whole, x, Marks(9, 0), 0, 9), "blocks of 64 columns take the tiles");
}

// Rows [from, to) through a mixture of four experts, two for each row.
Floats mix(int threads, const std::vector<Weight> &experts, const Floats &x, const Marks &prompt, int from, int to, int fused = 0) {
    const int hidden = experts[0].columns, rows = to - from;
    Machine machine(threads);
    std::vector<std::unique_ptr<Loaded>> loaded;
    std::vector<int64_t> matrices;
    for (const Weight &w : experts) {
        loaded.push_back(std::make_unique<Loaded>(machine.engine, w));
        matrices.push_back(reinterpret_cast<int64_t>(loaded.back()->matrix));
    }
    std::vector<int> ids(2 * rows);
    Floats weights(2 * rows, 0.25f), out(x.begin() + static_cast<long>(from) * hidden, x.begin() + static_cast<long>(to) * hidden);
    for (int t = 0; t < rows; t++) ids[2 * t] = (from + t) % 3, ids[2 * t + 1] = 3 - (from + t) % 2 * 3;
    for (int t = 0; t < rows; t++) ids[2 * t + 1] = ids[2 * t + 1] == ids[2 * t] ? 2 : ids[2 * t + 1];
    moebius_experts(&machine.engine, x.data() + static_cast<long>(from) * hidden, ids.data(), weights.data(), rows, 2, matrices.data(), prompt.data() + from, 4, out.data(), threads, 32, 8, fused ? 16 : 0, fused);
    return out;
}

void experts_keep_each_rows_bits() {
    constexpr int kRows = 90, kHidden = 100, kInner = 60;
    std::vector<Weight> experts;
    for (int e = 0; e < 4; e++) {
        experts.push_back(random_weight(MOEBIUS_E4M3, kInner, kHidden, kInner, kHidden));
        experts.push_back(random_weight(MOEBIUS_E4M3, kInner, kHidden, 1, kHidden));
        experts.push_back(random_weight(MOEBIUS_E4M3, kHidden, kInner, 32, 32));
    }
    const Floats x = random_floats(static_cast<long>(kRows) * kHidden, 1);
    Marks mixed(kRows);
    for (unsigned char &mark : mixed) mark = numbers() % 2;
    const Floats of_prompt = mix(1, experts, x, Marks(kRows, 1), 0, kRows), generated = mix(1, experts, x, Marks(kRows, 0), 0, kRows);
    const Floats both = mix(3, experts, x, mixed, 0, kRows);
    check(mix(3, experts, x, mixed, 0, kRows, 1) == both, "experts that are gated panel by panel");
    for (int t = 0; t < kRows; t++) {
        check(same_rows(both, t, mixed[t] ? of_prompt : generated, t, 1, kHidden), "an expert's row beside others, row " + std::to_string(t));
        check(same_rows(mix(2, experts, x, mixed, t, t + 1), 0, both, t, 1, kHidden), "an expert's row alone, row " + std::to_string(t));
    }
    float largest = 0, apart = 0;
    for (size_t i = 0; i < of_prompt.size(); i++) {
        largest = std::max(largest, std::fabs(generated[i]));
        apart = std::max(apart, std::fabs(of_prompt[i] - generated[i]));
    }
    check(apart <= largest * 0x1p-16f, "experts of prompts and generated tokens are " + std::to_string(apart) + " apart of " + std::to_string(largest));
    check(of_prompt != generated, "experts of prompts take the tiles");
}

}  // namespace

int main() {
    const std::pair<const char *, void (*)()> tests[] = {
        {"pairs are summed as documented", pairs_are_summed_as_documented},
        {"products agree with double precision", products_agree_with_double_precision},
        {"bits depend on neither rows nor cuts nor blocking", bits_depend_on_neither_rows_nor_cuts_nor_blocking},
        {"rows of prompts and generated ones keep their bits beside each other", rows_of_prompts_and_generated_ones_keep_their_bits_beside_each_other},
        {"products repack what is not repacked yet", products_repack_what_is_not_repacked_yet},
        {"blocks of scales that are no whole tiles are left to dot products", blocks_of_scales_that_are_no_whole_tiles_are_left_to_dot_products},
        {"experts keep each row's bits", experts_keep_each_rows_bits},
    };
    for (const auto &[name, test] : tests) {
        const int before = failures;
        test();
        std::printf("%s %s\n", failures == before ? "ok    " : "FAILED", name);
    }
    std::printf("%d failures (emulated: nothing ran on a matrix unit)\n", failures);
    return failures > 0;
}
