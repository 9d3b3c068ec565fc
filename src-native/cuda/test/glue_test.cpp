/* Routing, norms, quantisation and embedding against their definitions in double precision. */
#include <algorithm>
#include <numeric>

#include "check.h"
#include "random_values.h"

namespace {


/* Codes and scales of one row against min(amax, bound) / 448. */
void check_quantized(const std::vector<double> &y, const std::uint8_t *codes, const float *scales, int group, float bound, const std::string &what) {
    int columns = int(y.size()), size = group == 0 ? columns : group;
    for (int c = 0; c < columns; c++) {
        double scale = scales[c / size];
        if (group > 0) {
            double largest = 0;
            for (int i = c / size * size; i < std::min(columns, (c / size + 1) * size); i++) largest = std::max(largest, std::fabs(y[i]));
            check_close(scale, largest > 0 ? std::min(largest, double(bound)) / 448 : 1, 0, 1e-5, what + " scale");
        }
        /* A value at the edge between two codes may go either way. */
        double expected = round_e4m3(y[c] / scale), actual = decode_e4m3(codes[c]);
        check_close(actual, std::clamp(y[c] / scale, -448.0, 448.0), std::max(1.0 / 1024, std::fabs(expected) / 15.9), 0, what + " code");
    }
}

}  // namespace

TEST(routes_to_the_largest_logits_with_ties_to_the_lower_id) {
    int tokens = 9;
    struct Router { int experts, top_k, hidden, type; bool scaled; };
    for (Router r : {Router{8, 1, 200, MOEBIUS_CUDA_BF16, false}, Router{8, 2, 201, MOEBIUS_CUDA_BF16, true}, Router{70, 6, 200, MOEBIUS_CUDA_F32, false},
                     Router{128, 8, 264, MOEBIUS_CUDA_BF16, false}, Router{256, 32, 33, MOEBIUS_CUDA_F32, false},
                     Router{257, 33, 40, MOEBIUS_CUDA_BF16, false}, Router{300, 64, 33, MOEBIUS_CUDA_F32, false}, Router{512, 65, 32, MOEBIUS_CUDA_BF16, true}}) {
        int pitch = r.hidden + 8;
        std::vector<std::uint16_t> x = random_bf16(tokens * pitch, 1), narrow = random_bf16(r.experts * r.hidden, 2);
        std::vector<float> wide = random_floats(r.experts * r.hidden, 2), scales = random_floats(r.experts, 3);
        for (int c = 0; c < r.hidden; c++) {
            narrow[5 * r.hidden + c] = narrow[3 * r.hidden + c];
            wide[5 * r.hidden + c] = wide[3 * r.hidden + c];
        }
        scales[5] = scales[3];
        moebius_route p{};
        p.x = device.upload(x);
        p.router = r.type == MOEBIUS_CUDA_F32 ? static_cast<void *>(device.upload(wide)) : device.upload(narrow);
        p.router_type = r.type;
        if (r.scaled) { p.router_scales = device.upload(scales); p.x_scale = 0.01f; }
        p.ids = device.filled<int>(tokens * r.top_k, 0xff); p.weights = device.filled<float>(tokens * r.top_k, 0xff);
        p.x_pitch = pitch; p.tokens = tokens; p.hidden = r.hidden; p.experts = r.experts; p.top_k = r.top_k;
        run_kernel(device, find_variant(MOEBIUS_ROUTE, 0), &p);
        auto ids = device.download(p.ids, tokens * r.top_k);
        auto weights = device.download(p.weights, tokens * r.top_k);
        for (int t = 0; t < tokens; t++) {
            std::vector<double> logits(r.experts);
            for (int e = 0; e < r.experts; e++)
                for (int c = 0; c < r.hidden; c++) {
                    double v = decode_bf16(x[t * pitch + c]), w = r.type == MOEBIUS_CUDA_F32 ? wide[e * r.hidden + c] : decode_bf16(narrow[e * r.hidden + c]);
                    logits[e] += r.scaled ? round_e4m3(float(v) / 0.01f) * 0.01f * w * scales[e] : v * w;
                }
            std::vector<int> order(r.experts);
            std::iota(order.begin(), order.end(), 0);
            std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[a] > logits[b]; });
            double sum = 0;
            for (int k = 0; k < r.top_k; k++) sum += std::exp(logits[order[k]] - logits[order[0]]);
            for (int k = 0; k < r.top_k; k++) {
                check(ids[t * r.top_k + k] == order[k], "expert of choice " + std::to_string(k) + " of " + std::to_string(r.experts));
                check_close(weights[t * r.top_k + k], std::exp(logits[order[k]] - logits[order[0]]) / sum, 1e-6, 1e-4, "weight");
            }
        }
    }
}

TEST(sorts_chosen_rows_by_expert_in_token_order) {
    struct Sort { int tokens, experts, top_k; };
    for (auto [tokens, experts, top_k] : {Sort{1, 9, 2}, Sort{5, 128, 8}, Sort{700, 9, 2}, Sort{1500, 9, 2}, Sort{3, 256, 8}, Sort{1, 257, 257}, Sort{40, 300, 33},
                                          Sort{33, 700, 64}}) { /* some have none */
        std::vector<int> ids;
        for (int i = 0; i < tokens * top_k; i++) ids.push_back(int(random_bits(3, i) % (experts - 2)) + (i % 2));
        moebius_permute p{};
        p.ids = device.upload(ids);
        p.offsets = device.filled<int>(experts + 1, 0xff); p.sources = device.filled<int>(ids.size(), 0xff); p.positions = device.filled<int>(ids.size(), 0xff);
        p.tokens = tokens; p.experts = experts; p.top_k = top_k;
        run_kernel(device, find_variant(MOEBIUS_PERMUTE, 0), &p);
        auto offsets = device.download(p.offsets, experts + 1), sources = device.download(p.sources, ids.size()), positions = device.download(p.positions, ids.size());
        std::vector<int> next(experts + 1);
        for (int id : ids) next[id + 1]++;
        for (int e = 0; e < experts; e++) next[e + 1] += next[e];
        check(offsets == next, "offsets");
        for (int i = 0; i < int(ids.size()); i++) {
            int place = next[ids[i]]++;
            check(positions[i] == place && sources[place] == i / top_k, "place of row " + std::to_string(i));
        }
    }
}

TEST(routes_and_sorts_small_steps_at_once_as_two_kernels_do) {
    struct Step { int tokens, experts, top_k; };
    for (Step s : {Step{1, 8, 2}, Step{5, 8, 2}, Step{64, 8, 2}, Step{64, 128, 8}, Step{7, 300, 33}}) {
        int tokens = s.tokens, experts = s.experts, top_k = s.top_k, hidden = 40, rows = tokens * top_k;
        moebius_route p{};
        p.x = device.upload(random_bf16(tokens * hidden, 1)); p.router = device.upload(random_bf16(experts * hidden, 2));
        p.router_type = MOEBIUS_CUDA_BF16; p.x_pitch = hidden; p.tokens = tokens; p.hidden = hidden; p.experts = experts; p.top_k = top_k;
        auto results = [&](bool at_once) {
            p.ids = device.filled<int>(rows, 0xff); p.weights = device.filled<float>(rows, 0xff); p.ticket = at_once ? device.zeros<int>(1) : nullptr;
            p.offsets = device.filled<int>(experts + 1, 0xff); p.sources = device.filled<int>(rows, 0xff); p.positions = device.filled<int>(rows, 0xff);
            run_kernel(device, find_variant(MOEBIUS_ROUTE, 0), &p);
            moebius_permute sort{p.ids, p.offsets, p.sources, p.positions, tokens, experts, top_k, 0};
            if (at_once) check(device.download(p.ticket, 1)[0] == 0, "the ticket is zero afterwards");
            else run_kernel(device, find_variant(MOEBIUS_PERMUTE, 0), &sort);
            std::vector<int> all = device.download(reinterpret_cast<int *>(p.weights), rows);
            for (auto [from, count] : {std::pair{p.ids, rows}, std::pair{p.offsets, experts + 1}, std::pair{p.sources, rows}, std::pair{p.positions, rows}})
                for (int v : device.download(from, count)) all.push_back(v);
            return all;
        };
        check(results(true) == results(false), std::to_string(tokens) + " tokens, " + std::to_string(top_k) + " of " + std::to_string(experts));
    }
}

TEST(norms_add_what_came_and_quantise_by_tensor_token_and_group) {
    int tokens = 3, top_k = 2;
    for (int columns : {8, 200, 1000}) {
        for (int group : {0, 128, columns}) {
            int pitch = ceil_div(columns, 128) * 128;
            auto residual = random_floats(tokens * columns, 4), delta = random_floats(tokens * columns, 5);
            auto expert_out = random_bf16(tokens * top_k * columns, 6);
            auto weight = random_floats(columns, 7);
            std::vector<int> positions = {3, 0, 5, 1, 2, 4};
            std::vector<float> shares = {0.7f, 0.3f, 0.5f, 0.5f, 0.9f, 0.1f};
            if (columns == 8) { std::fill(residual.begin(), residual.begin() + 8, 0.0f); std::fill(delta.begin(), delta.begin() + 8, 0.0f); shares[0] = shares[1] = 0; }
            moebius_norm p{};
            p.residual = device.upload(residual); p.delta = device.upload(delta); p.expert_out = device.upload(expert_out);
            p.positions = device.upload(positions); p.expert_weights = device.upload(shares); p.weight = device.upload(weight);
            p.out16 = device.filled<std::uint16_t>(tokens * pitch, 0xff); p.out8 = device.filled<std::uint8_t>(tokens * pitch, 0xff);
            int scales = group == 0 ? 1 : tokens * ceil_div(columns, group);
            p.out_scales = device.upload(std::vector<float>(scales, 0.01f));
            p.out16_pitch = p.out8_pitch = pitch; p.tokens = tokens; p.columns = columns; p.top_k = top_k; p.group = group; p.bound = group == 128 ? 0.3f : INFINITY; p.epsilon = 1e-5;
            run_kernel(device, find_variant(MOEBIUS_NORM, 0), &p);
            auto out16 = device.download(p.out16, tokens * pitch);
            auto out8 = device.download(p.out8, tokens * pitch);
            auto out_scales = device.download(p.out_scales, scales), sums = device.download(p.residual, tokens * columns);
            for (int t = 0; t < tokens; t++) {
                std::vector<double> y(columns);
                double squares = 0;
                for (int c = 0; c < columns; c++) {
                    y[c] = double(residual[t * columns + c]) + delta[t * columns + c];
                    for (int j = 0; j < top_k; j++) y[c] += shares[t * top_k + j] * decode_bf16(expert_out[positions[t * top_k + j] * columns + c]);
                    check_close(sums[t * columns + c], y[c], 1e-6, 1e-6, "residual");
                    squares += y[c] * y[c];
                }
                for (int c = 0; c < columns; c++) {
                    y[c] *= weight[c] / std::sqrt(squares / columns + 1e-5);
                    check_close(decode_bf16(out16[t * pitch + c]), y[c], 1e-6, 0.004, "norm");
                }
                for (int c = columns; c < pitch; c++) check(out16[t * pitch + c] == 0 && out8[t * pitch + c] == 0, "padding is zero");
                check_quantized(y, &out8[t * pitch], &out_scales[group == 0 ? 0 : t * ceil_div(columns, group)], group, p.bound, "norm");
            }
        }
    }
}

TEST(quantises_rows_alone) {
    int rows = 4, columns = 300;
    auto x = random_bf16(rows * columns, 8);
    moebius_quantize p{};
    p.x = device.upload(x); p.out8 = device.filled<std::uint8_t>(rows * 384, 0xff); p.out_scales = device.filled<float>(rows * 3, 0xff);
    std::vector<int> count = {3};
    p.row_count = device.upload(count);
    p.x_pitch = columns; p.out8_pitch = 384; p.rows = rows; p.columns = columns; p.group = 128; p.bound = INFINITY;
    run_kernel(device, find_variant(MOEBIUS_QUANTIZE, 0), &p);
    auto codes = device.download(p.out8, rows * 384);
    auto scales = device.download(p.out_scales, rows * 3);
    for (int r = 0; r < 3; r++) {
        std::vector<double> y;
        for (int c = 0; c < columns; c++) y.push_back(decode_bf16(x[r * columns + c]));
        check_quantized(y, &codes[r * 384], &scales[r * 3], 128, p.bound, "row");
    }
    check(codes[3 * 384] == 0xff, "rows beyond the count on the device are left alone");
}

TEST(embeds_tokens) {
    auto table = random_bf16(10 * 70, 10);
    auto embeds = [&](const std::vector<int> &tokens, const std::vector<int> &drawn, const std::vector<int> &meant) {
        moebius_embed p{device.upload(table), device.upload(tokens), drawn.empty() ? nullptr : device.upload(drawn),
                        device.filled<float>(3 * 70, 0xff), 3, 70, 0};
        run_kernel(device, find_variant(MOEBIUS_EMBED, 0), &p);
        auto out = device.download(p.out, 3 * 70);
        for (int i = 0; i < 3 * 70; i++) check(out[i] == decode_bf16(table[meant[i / 70] * 70 + i % 70]), "channel");
    };
    embeds({9, 0, 3}, {}, {9, 0, 3});
    embeds({~1, 2, ~0}, {7, 4}, {4, 2, 7});
}

/* GeneratorTest.java holds the same. */
TEST(generator_gives_the_golden_numbers) {
    const std::uint64_t bits[] = {0xbdd732262feb6e95, 0x28efe333b266f103, 0x47526757130f9f52};
    const float units[] = {0x1.eeb99p-2f, -0x1.5c4074p-1f, -0x1.c56cc8p-2f};
    const std::uint8_t codes[] = {37, 202, 77};
    for (int i = 0; i < 3; i++)
        check(random_bits(42, i) == bits[i] && random_unit(42, i) == units[i] && random_e4m3(42, i) == codes[i], "number " + std::to_string(i) + " of seed 42");
    check(random_bits(1ull << 63, 5000000000ull) == 0x320c6a2f96210f35, "a large seed and counter");
    for (int i = 0; i < 1000; i++) check(std::fabs(decode_e4m3(random_e4m3(7, i))) < 32, "codes are small numbers");
}
