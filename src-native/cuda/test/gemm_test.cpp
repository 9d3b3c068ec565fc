/* Products against sums in double precision: shapes, scale layouts, epilogues; and bytes that don't depend on other rows. */
#include <algorithm>

#include "check.h"
#include "random_values.h"

namespace {

struct Layout { const char *name; int weight_rows, weight_columns, x_rows, x_columns; }; /* 0: whole */
const Layout kLayouts[] = {
    {"tensor", 0, 0, 0, 0}, {"channel and token", 1, 0, 1, 0}, {"128-blocks and groups", 128, 128, 1, 128}, {"tensor and token", 0, 0, 1, 0},
    {"blocks of 40 x 256 and a tensor", 40, 256, 0, 0}};

struct Case {
    int family, experts, n, k, splits, epilogue;
    std::vector<int> counts; /* rows per expert */
    const Layout *layout;
    bool gather;
};


/* A product on the device and what it should give. */
class Product {
  public:
    Product(Device &device, const Case &c, std::uint64_t seed) : device(device), c(c) {
        x_bytes = c.family == MOEBIUS_FP8_GEMM ? 1 : 2;
        w_bytes = c.family == MOEBIUS_BF16_GEMM ? 2 : 1;
        mats = c.epilogue == MOEBIUS_SWIGLU_BF16 || c.epilogue == MOEBIUS_SWIGLU_E4M3 ? 2 : 1;
        offsets = {0};
        for (int count : c.counts) offsets.push_back(offsets.back() + count);
        rows = offsets.back();
        x_rows = c.gather ? rows / 2 + 1 : rows;
        k_block = c.family == MOEBIUS_BF16_GEMM ? 64 : 128;
        blocks = ceil_div(c.k, k_block);
        x_pitch = blocks * k_block;
        fill(seed);
    }

    moebius_gemm parameters() {
        moebius_gemm g{};
        g.weights = packed[0]; g.up = packed[1];
        g.x = device.upload(x);
        g.out_pitch = c.n + 3;
        out_bytes = c.epilogue == MOEBIUS_SWIGLU_E4M3 ? 1 : c.epilogue == MOEBIUS_STORE_BF16 || c.epilogue == MOEBIUS_SWIGLU_BF16 ? 2 : 4;
        g.out = device.upload(std::vector<std::uint8_t>(std::size_t(rows) * g.out_pitch * out_bytes, 0));
        if (c.experts > 1) g.offsets = device.upload(offsets);
        if (c.gather) g.sources = device.upload(sources);
        g.weight_scales = {device.upload(w_scales[0]), w_rows, w_columns};
        g.up_scales = {device.upload(w_scales[1]), w_rows, w_columns};
        if (c.family == MOEBIUS_FP8_GEMM) g.x_scales = {device.upload(x_scales), xs_rows, xs_columns};
        g.x_pitch_bytes = std::int64_t(x_pitch) * x_bytes;
        g.scales_per_expert = w_scales[0].size() / c.experts;
        g.rows = rows; g.n = c.n; g.k = c.k; g.experts = c.experts; g.k_splits = c.splits;
        g.epilogue = c.epilogue; g.out_scale = 0.5f; g.raster = 2;
        return g;
    }

    /* The weights are others from when the kernel has waited for the one before it; false where that can't be arranged. */
    bool lose_weights_at_wait() {
        std::size_t bytes = std::size_t(ceil_div(c.n, 64)) * blocks * 8192 * c.experts;
        return device.at_next_wait([this, bytes] {
            for (int m = 0; m < mats; m++) std::memset(packed[m], 0x7f, bytes);
        });
    }

    std::vector<std::uint8_t> run(const moebius_variant &v) {
        moebius_gemm g = parameters();
        if (v.spread) {
            g.partials = static_cast<float *>(device.allocate(std::size_t(moebius_gemm_tiles(&v, &g)) * 64 * v.tile_tokens * 4));
            g.tickets = device.filled<int>(moebius_gemm_tiles(&v, &g), 0);
        }
        for (int first = 0; first < c.experts; first += 256) {
            moebius_gemm part = experts_from(g, first);
            const char *refusal = moebius_gemm_refusal(&v, &part, 90);
            check(refusal == nullptr, refusal ? refusal : "");
            run_kernel(device, v, &part);
        }
        if (v.spread) {
            for (int ticket : device.download(g.tickets, moebius_gemm_tiles(&v, &g))) check(ticket == 0, "tickets are zero afterwards");
        }
        return device.download(static_cast<const std::uint8_t *>(g.out), std::size_t(rows) * g.out_pitch * out_bytes);
    }

    /* At most 256 experts from `first` on. */
    moebius_gemm experts_from(moebius_gemm g, int first) const {
        std::size_t bytes = std::size_t(ceil_div(c.n, 64)) * blocks * 8192;
        g.weights += first * bytes;
        if (g.up) g.up += first * bytes;
        g.weight_scales.values += first * g.scales_per_expert;
        g.up_scales.values += first * g.scales_per_expert;
        if (g.offsets) g.offsets += first;
        g.experts = std::min(256, c.experts - first);
        return g;
    }

    void compare(const std::vector<std::uint8_t> &out, const std::string &what) {
        for (int e = 0; e < c.experts; e++)
            for (int p = offsets[e]; p < offsets[e + 1]; p++)
                for (int n = 0; n < c.n; n++) {
                    double magnitude = 0;
                    double v = dot(0, e, p, n, magnitude);
                    double slack = magnitude * 2e-6;
                    if (mats == 2) {
                        double up = dot(1, e, p, n, magnitude);
                        v = v / (1 + std::exp(-v)) * up;
                        slack = magnitude * 2e-6 * (1 + std::fabs(up));
                    }
                    double actual = value(out, p, n);
                    if (out_bytes == 1) check_close(actual, round_e4m3(v / 0.5), 1e-2 + slack, 0.13, what);
                    else check_close(actual, v, slack + 1e-6, out_bytes == 2 ? 0.004 : 2e-6, what);
                }
    }

    double value(const std::vector<std::uint8_t> &out, int p, int n) const {
        std::size_t at = (std::size_t(p) * (c.n + 3) + n) * out_bytes;
        if (out_bytes == 1) return decode_e4m3(out[at]);
        std::uint16_t h; float f;
        std::memcpy(&h, &out[at], 2);
        if (out_bytes == 2) return decode_bf16(h);
        std::memcpy(&f, &out[at], 4);
        return f;
    }

    int rows;

  private:
    Device &device;
    Case c;
    int x_bytes, w_bytes, mats, x_rows, k_block, blocks, x_pitch, out_bytes = 4;
    int w_rows, w_columns, xs_rows, xs_columns;
    std::vector<int> offsets, sources;
    std::vector<std::uint8_t> x, w[2];
    std::vector<float> w_scales[2], x_scales;
    std::uint8_t *packed[2] = {};

    static void put(std::vector<std::uint8_t> &to, std::size_t i, int bytes, std::uint64_t seed) {
        if (bytes == 1) { to[i] = random_e4m3(seed, i); return; }
        std::uint16_t h = encode_bf16(random_unit(seed, i));
        std::memcpy(&to[i * 2], &h, 2);
    }
    static double element(const std::vector<std::uint8_t> &from, std::size_t i, int bytes) {
        std::uint16_t h;
        if (bytes == 1) return decode_e4m3(from[i]);
        std::memcpy(&h, &from[i * 2], 2);
        return decode_bf16(h);
    }
    void fill(std::uint64_t seed) {
        for (int p = 0; p < rows; p++) sources.push_back(int(random_bits(seed + 9, p) % x_rows));
        x.assign(std::size_t(x_rows) * x_pitch * x_bytes, 0);
        for (int r = 0; r < x_rows; r++)
            for (int k = 0; k < c.k; k++) put(x, std::size_t(r) * x_pitch + k, x_bytes, seed);
        w_rows = c.layout->weight_rows ? c.layout->weight_rows : c.n;
        w_columns = c.layout->weight_columns ? c.layout->weight_columns : c.k;
        xs_rows = c.layout->x_rows ? c.layout->x_rows : x_rows;
        xs_columns = c.layout->x_columns ? c.layout->x_columns : c.k;
        for (int m = 0; m < mats; m++) {
            w[m].resize(std::size_t(c.experts) * c.n * c.k * w_bytes);
            for (std::size_t i = 0; i < w[m].size() / w_bytes; i++) put(w[m], i, w_bytes, seed + 1 + m);
            int per_expert = ceil_div(c.n, w_rows) * ceil_div(c.k, w_columns);
            for (int i = 0; i < per_expert * c.experts; i++) w_scales[m].push_back(0.02f + 0.01f * random_unit(seed + 3 + m, i));
            pack(m);
        }
        for (int i = 0; i < ceil_div(x_rows, xs_rows) * ceil_div(c.k, xs_columns); i++) x_scales.push_back(0.02f + 0.01f * random_unit(seed + 5, i));
    }
    void pack(int m) {
        std::size_t units = std::size_t(ceil_div(c.n, 64)) * blocks;
        packed[m] = static_cast<std::uint8_t *>(device.allocate(units * 8192 * c.experts));
        std::uint8_t *raw = device.upload(w[m]);
        for (int e = 0; e < c.experts; e++) {
            int type = w_bytes == 1 ? MOEBIUS_CUDA_E4M3 : MOEBIUS_CUDA_BF16;
            moebius_pack p{raw + std::size_t(e) * c.n * c.k * w_bytes, packed[m] + e * units * 8192, {}, c.k, c.n, c.k, type, type};
            run_kernel(device, find_variant(MOEBIUS_PACK, 0), &p);
        }
    }
    double dot(int m, int e, int p, int n, double &magnitude) const {
        int r = c.gather ? sources[p] : p;
        double sum = 0;
        for (int k = 0; k < c.k; k++) {
            double sw = w_scales[m][std::size_t(e) * (w_scales[m].size() / c.experts) + n / w_rows * ceil_div(c.k, w_columns) + k / w_columns];
            double sx = c.family == MOEBIUS_FP8_GEMM ? x_scales[r / xs_rows * ceil_div(c.k, xs_columns) + k / xs_columns] : 1;
            double term = element(x, std::size_t(r) * x_pitch + k, x_bytes) * sx * element(w[m], (std::size_t(e) * c.n + n) * c.k + k, w_bytes) * sw;
            sum += term;
            magnitude += std::fabs(term);
        }
        return sum;
    }
};

bool fits(const moebius_variant &v, const Case &c, int capability) {
    bool swiglu = c.epilogue == MOEBIUS_SWIGLU_BF16 || c.epilogue == MOEBIUS_SWIGLU_E4M3;
    return v.family == c.family && (v.mats == 2) == swiglu && (v.gpus == MOEBIUS_ANY_GPU || capability == 90);
}

/* Every variant that can run the case gives the reference's values, and all of one recipe the same bytes. */
void run_variants(Device &device, const Case &c, std::uint64_t seed) {
    int count;
    const moebius_variant *all = moebius_variants(&count);
    Product product(device, c, seed);
    std::vector<std::pair<std::string, std::vector<std::uint8_t>>> seen;
    for (int i = 0; i < count; i++) {
        if (!fits(all[i], c, device.compute_capability())) continue;
        std::string what = std::string(all[i].kernel) + ", " + c.layout->name + ", n " + std::to_string(c.n) + ", k " + std::to_string(c.k) +
                           ", rows " + std::to_string(product.rows);
        std::vector<std::uint8_t> out = product.run(all[i]);
        product.compare(out, what);
        for (auto &[recipe, bytes] : seen)
            if (recipe == all[i].recipe) check(bytes == out, what + ": bytes differ from another variant of the recipe");
        seen.emplace_back(all[i].recipe, out);
    }
}

}  // namespace

TEST(fp8_products_agree_with_double_precision_for_every_scale_layout) {
    for (const Layout &layout : kLayouts) run_variants(device, {MOEBIUS_FP8_GEMM, 1, 72, 264, 1, MOEBIUS_STORE_F32, {19}, &layout, false}, 1);
}
TEST(fp8_products_sum_the_parts_of_k_alike_in_one_block_and_in_several) {
    run_variants(device, {MOEBIUS_FP8_GEMM, 1, 200, 1500, 3, MOEBIUS_STORE_F32, {9}, &kLayouts[1], false}, 2);
    run_variants(device, {MOEBIUS_FP8_GEMM, 1, 64, 640, 2, MOEBIUS_ADD_F32, {1}, &kLayouts[2], false}, 3);
}
TEST(grouped_fp8_products_skip_experts_without_rows_and_gather_their_rows) {
    run_variants(device, {MOEBIUS_FP8_GEMM, 5, 130, 172, 1, MOEBIUS_STORE_BF16, {3, 0, 21, 1, 0}, &kLayouts[0], true}, 4);
    run_variants(device, {MOEBIUS_FP8_GEMM, 3, 65, 300, 2, MOEBIUS_STORE_F32, {0, 70, 0}, &kLayouts[2], true}, 5);
}
TEST(grouped_products_go_over_more_than_256_experts_in_parts) {
    std::vector<int> counts(300);
    counts[0] = 3; counts[254] = 9; counts[255] = 1; counts[256] = 2; counts[299] = 17;
    for (int family : {MOEBIUS_FP8_GEMM, MOEBIUS_BF16_GEMM}) {
        run_variants(device, {family, 300, 40, 130, 2, MOEBIUS_STORE_BF16, counts, &kLayouts[1], true}, 16);
        run_variants(device, {family, 300, 40, 70, 1, MOEBIUS_SWIGLU_BF16, counts, &kLayouts[0], false}, 17);
    }
}
TEST(fp8_swiglu_multiplies_the_activated_gate_by_up) {
    for (const Layout &layout : kLayouts) run_variants(device, {MOEBIUS_FP8_GEMM, 3, 72, 200, 1, MOEBIUS_SWIGLU_BF16, {0, 7, 11}, &layout, true}, 6);
    run_variants(device, {MOEBIUS_FP8_GEMM, 2, 172, 128, 1, MOEBIUS_SWIGLU_E4M3, {2, 9}, &kLayouts[0], false}, 7);
}
TEST(swiglu_without_experts_needs_no_offsets) {
    run_variants(device, {MOEBIUS_FP8_GEMM, 1, 172, 96, 1, MOEBIUS_SWIGLU_E4M3, {5}, &kLayouts[0], false}, 13);
    run_variants(device, {MOEBIUS_BF16_GEMM, 1, 172, 96, 1, MOEBIUS_SWIGLU_BF16, {5}, &kLayouts[0], false}, 14);
}
TEST(products_over_16_bit_activations_agree_with_double_precision) {
    for (int family : {MOEBIUS_W8A16_GEMM, MOEBIUS_BF16_GEMM}) {
        run_variants(device, {family, 1, 72, 264, 1, MOEBIUS_STORE_F32, {19}, &kLayouts[0], false}, 8);
        run_variants(device, {family, 3, 64, 600, 2, MOEBIUS_STORE_BF16, {0, 5, 2}, &kLayouts[1], true}, 9);
        run_variants(device, {family, 2, 72, 200, 1, MOEBIUS_SWIGLU_BF16, {3, 7}, &kLayouts[0], false}, 10);
    }
    run_variants(device, {MOEBIUS_W8A16_GEMM, 1, 150, 300, 1, MOEBIUS_STORE_F32, {4}, &kLayouts[2], false}, 11);
}
TEST(a_row_has_the_same_bytes_among_1_to_512_rows) {
    int count;
    const moebius_variant *all = moebius_variants(&count);
    for (int i = 0; i < count; i++) {
        Case c{all[i].family, 1, 40, 136, 1, all[i].mats == 2 ? MOEBIUS_SWIGLU_BF16 : MOEBIUS_STORE_F32, {512}, &kLayouts[3], false};
        if (all[i].mats == 1) c.splits = 2;
        if (all[i].grid != MOEBIUS_GRID_TILES || !fits(all[i], c, device.compute_capability())) continue;
        std::vector<std::uint8_t> whole = Product(device, c, 12).run(all[i]);
        for (int rows : row_counts()) {
            c.counts = {rows};
            std::vector<std::uint8_t> out = Product(device, c, 12).run(all[i]);
            check(std::equal(out.begin(), out.end(), whole.begin()), std::string(all[i].kernel) + " of " + std::to_string(rows) + " rows");
        }
    }
}
TEST(products_request_the_first_weights_before_they_wait_unless_routing_decides_which) {
    int count;
    const moebius_variant *all = moebius_variants(&count);
    for (bool grouped : {false, true})
        for (bool gather : {false, true})
            for (int i = 0; i < count; i++) {
                int family = all[i].family, epilogue = all[i].mats == 2 ? MOEBIUS_SWIGLU_BF16 : MOEBIUS_STORE_F32;
                Case c{family, grouped ? 2 : 1, 64, family == MOEBIUS_BF16_GEMM ? 128 : 256, 1, epilogue, {0, 5}, &kLayouts[0], gather};
                if (!grouped) c.counts = {5};
                if (all[i].grid != MOEBIUS_GRID_TILES || !fits(all[i], c, device.compute_capability())) continue;
                std::vector<std::uint8_t> kept = Product(device, c, 15).run(all[i]);
                Product product(device, c, 15);
                if (!product.lose_weights_at_wait()) return;
                bool early = !grouped || !gather;
                check((product.run(all[i]) == kept) == early, std::string(all[i].kernel) + (early ? " waits to request weights" : " requests weights before it knows the experts"));
            }
}
TEST(refuses_products_that_a_variant_cannot_run) {
    moebius_gemm g{};
    g.k = 300; g.n = 64; g.k_splits = 3; g.raster = 1; g.x_pitch_bytes = 384;
    check(moebius_gemm_refusal(&find_variant(MOEBIUS_FP8_GEMM, 31), &g, 89) != nullptr, "wgmma before Hopper");
    check(moebius_gemm_refusal(&find_variant(MOEBIUS_FP8_GEMM, 0), &g, 89) == nullptr, "three parts of three blocks");
    g.k_splits = 4;
    check(moebius_gemm_refusal(&find_variant(MOEBIUS_FP8_GEMM, 0), &g, 89) != nullptr, "a part of K without a block");
    int offsets = 0;
    g.k_splits = 1; g.offsets = &offsets; g.experts = 257;
    check(moebius_gemm_refusal(&find_variant(MOEBIUS_FP8_GEMM, 0), &g, 89) != nullptr, "more experts than the ends of rows have room for");
}
