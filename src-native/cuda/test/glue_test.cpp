/* Packing, routing, norms, quantisation, rotation and embedding against their definitions in double precision. */
#include <algorithm>
#include <numeric>

#include "check.h"
#include "generator.h"
#include "number_formats.h"

namespace {

std::vector<std::uint16_t> random_bf16(std::size_t count, std::uint64_t seed) {
    std::vector<std::uint16_t> values(count);
    for (std::size_t i = 0; i < count; i++) values[i] = encode_bf16(random_unit(seed, i));
    return values;
}
std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; i++) values[i] = random_unit(seed, i);
    return values;
}
int ceil_div(int a, int b) { return (a + b - 1) / b; }

/* Codes and scales of one row against amax / 448. */
void check_quantized(const std::vector<double> &y, const std::uint8_t *codes, const float *scales, int group, const std::string &what) {
    int columns = int(y.size()), size = group == 0 ? columns : group;
    for (int c = 0; c < columns; c++) {
        double scale = scales[c / size];
        if (group > 0) {
            double largest = 0;
            for (int i = c / size * size; i < std::min(columns, (c / size + 1) * size); i++) largest = std::max(largest, std::fabs(y[i]));
            check_close(scale, largest > 0 ? largest / 448 : 1, 0, 1e-5, what + " scale");
        }
        /* A value at the edge between two codes may go either way. */
        double expected = round_e4m3(y[c] / scale), actual = decode_e4m3(codes[c]);
        check_close(actual, y[c] / scale, std::max(1.0 / 1024, std::fabs(expected) / 15.9), 0, what + " code");
    }
}

}  // namespace

TEST(routes_to_the_largest_logits_with_ties_to_the_lower_id) {
    int tokens = 9, hidden = 200;
    for (int experts : {8, 70}) {
        for (int top_k : {1, 2, 6}) {
            std::vector<std::uint16_t> x = random_bf16(tokens * (hidden + 8), 1), router = random_bf16(experts * hidden, 2);
            for (int c = 0; c < hidden; c++) router[5 * hidden + c] = router[3 * hidden + c];
            moebius_route p{};
            p.x = device.upload(x); p.router = device.upload(router);
            p.ids = device.filled<int>(tokens * top_k, 0xff); p.weights = device.filled<float>(tokens * top_k, 0xff);
            p.x_pitch = hidden + 8; p.tokens = tokens; p.hidden = hidden; p.experts = experts; p.top_k = top_k;
            run_plain(device, find_variant(MOEBIUS_ROUTE, 0), &p, ceil_div(tokens, 4));
            auto ids = device.download(p.ids, tokens * top_k);
            auto weights = device.download(p.weights, tokens * top_k);
            for (int t = 0; t < tokens; t++) {
                std::vector<double> logits(experts);
                for (int e = 0; e < experts; e++)
                    for (int c = 0; c < hidden; c++) logits[e] += decode_bf16(x[t * (hidden + 8) + c]) * decode_bf16(router[e * hidden + c]);
                std::vector<int> order(experts);
                std::iota(order.begin(), order.end(), 0);
                std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logits[a] > logits[b]; });
                double sum = 0;
                for (int k = 0; k < top_k; k++) sum += std::exp(logits[order[k]] - logits[order[0]]);
                for (int k = 0; k < top_k; k++) {
                    check(ids[t * top_k + k] == order[k], "expert of choice " + std::to_string(k));
                    check_close(weights[t * top_k + k], std::exp(logits[order[k]] - logits[order[0]]) / sum, 1e-6, 1e-4, "weight");
                }
            }
        }
    }
}

TEST(sorts_chosen_rows_by_expert_in_token_order) {
    for (int tokens : {1, 5, 700, 1500}) {
        int experts = 9, top_k = 2;
        std::vector<int> ids;
        for (int i = 0; i < tokens * top_k; i++) ids.push_back(int(random_bits(3, i) % 7) + (i % 2)); /* expert 8 has none */
        moebius_permute p{};
        p.ids = device.upload(ids);
        p.offsets = device.filled<int>(experts + 1, 0xff); p.sources = device.filled<int>(ids.size(), 0xff); p.positions = device.filled<int>(ids.size(), 0xff);
        p.tokens = tokens; p.experts = experts; p.top_k = top_k;
        run_plain(device, find_variant(MOEBIUS_PERMUTE, 0), &p, 1);
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

TEST(norms_add_what_came_and_quantise_by_tensor_token_and_group) {
    int tokens = 3, top_k = 2;
    for (int columns : {8, 200, 1000}) {
        for (int group : {0, 128, columns}) {
            int pitch = ceil_div(columns, 128) * 128;
            auto residual = random_floats(tokens * columns, 4), delta = random_floats(tokens * columns, 5);
            auto expert_out = random_bf16(tokens * top_k * columns, 6), weight = random_bf16(columns, 7);
            std::vector<int> positions = {3, 0, 5, 1, 2, 4};
            std::vector<float> shares = {0.7f, 0.3f, 0.5f, 0.5f, 0.9f, 0.1f};
            if (columns == 8) { std::fill(residual.begin(), residual.begin() + 8, 0.0f); std::fill(delta.begin(), delta.begin() + 8, 0.0f); shares[0] = shares[1] = 0; }
            moebius_norm p{};
            p.residual = device.upload(residual); p.delta = device.upload(delta); p.expert_out = device.upload(expert_out);
            p.positions = device.upload(positions); p.expert_weights = device.upload(shares); p.weight = device.upload(weight);
            p.out16 = device.filled<std::uint16_t>(tokens * pitch, 0xff); p.out8 = device.filled<std::uint8_t>(tokens * pitch, 0xff);
            int scales = group == 0 ? 1 : tokens * ceil_div(columns, group);
            p.out_scales = device.upload(std::vector<float>(scales, 0.01f));
            p.out16_pitch = p.out8_pitch = pitch; p.tokens = tokens; p.columns = columns; p.top_k = top_k; p.group = group; p.epsilon = 1e-5;
            run_plain(device, find_variant(MOEBIUS_NORM, 0), &p, tokens);
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
                    y[c] *= decode_bf16(weight[c]) / std::sqrt(squares / columns + 1e-5);
                    check_close(decode_bf16(out16[t * pitch + c]), y[c], 1e-6, 0.004, "norm");
                }
                for (int c = columns; c < pitch; c++) check(out16[t * pitch + c] == 0 && out8[t * pitch + c] == 0, "padding is zero");
                check_quantized(y, &out8[t * pitch], &out_scales[group == 0 ? 0 : t * ceil_div(columns, group)], group, "norm");
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
    p.x_pitch = columns; p.out8_pitch = 384; p.rows = rows; p.columns = columns; p.group = 128;
    run_plain(device, find_variant(MOEBIUS_QUANTIZE, 0), &p, rows);
    auto codes = device.download(p.out8, rows * 384);
    auto scales = device.download(p.out_scales, rows * 3);
    for (int r = 0; r < 3; r++) {
        std::vector<double> y;
        for (int c = 0; c < columns; c++) y.push_back(decode_bf16(x[r * columns + c]));
        check_quantized(y, &codes[r * 384], &scales[r * 3], 128, "row");
    }
    check(codes[3 * 384] == 0xff, "rows beyond the count on the device are left alone");
}

TEST(rotates_queries_and_keys_and_stores_them_at_their_block) {
    struct Shape { int heads, kv_heads, dim, padded, type; };
    for (Shape s : {Shape{4, 2, 8, 16, MOEBIUS_CUDA_BF16}, Shape{8, 2, 128, 128, MOEBIUS_CUDA_E4M3}}) {
        int tokens = 3, width = (s.heads + 2 * s.kv_heads) * s.dim, size = s.type == MOEBIUS_CUDA_E4M3 ? 1 : 2;
        std::vector<int> positions = {0, 37, 1000}, sequences = {0, 1, 1}, tables(1 + 64), offsets = {0, 1};
        for (int i = 0; i < 65; i++) tables[i] = 64 - i;
        auto qkv = random_bf16(tokens * width, 9);
        std::size_t cache_bytes = std::size_t(65) * s.kv_heads * 16 * s.padded * size;
        moebius_rope p{};
        p.qkv = device.upload(qkv); p.query = device.filled<std::uint16_t>(tokens * s.heads * s.padded, 0xff);
        p.keys = device.filled<std::uint8_t>(cache_bytes, 0xff); p.values = device.filled<std::uint8_t>(cache_bytes, 0xff);
        p.positions = device.upload(positions); p.sequences = device.upload(sequences); p.tables = device.upload(tables); p.table_offsets = device.upload(offsets);
        p.qkv_pitch = width; p.theta = 1e6f; p.key_scale = 0.5f; p.value_scale = 0.25f;
        p.tokens = tokens; p.heads = s.heads; p.kv_heads = s.kv_heads; p.head_dim = s.dim; p.padded_dim = s.padded; p.cache_type = s.type;
        run_plain(device, find_variant(MOEBIUS_ROPE, 0), &p, tokens);
        auto query = device.download(p.query, tokens * s.heads * s.padded);
        auto keys = device.download(static_cast<std::uint8_t *>(p.keys), cache_bytes), values = device.download(static_cast<std::uint8_t *>(p.values), cache_bytes);
        auto expected = [&](int t, int head, int d) {
            const std::uint16_t *row = &qkv[t * width + head * s.dim];
            int half = s.dim / 2, i = d % half;
            double angle = positions[t] * std::pow(1e6, -2.0 * i / s.dim), a = decode_bf16(row[i]), b = decode_bf16(row[i + half]);
            return d < half ? a * std::cos(angle) - b * std::sin(angle) : b * std::cos(angle) + a * std::sin(angle);
        };
        for (int t = 0; t < tokens; t++) {
            for (int h = 0; h < s.heads; h++)
                for (int d = 0; d < s.padded; d++)
                    check_close(decode_bf16(query[(t * s.heads + h) * s.padded + d]), d < s.dim ? expected(t, h, d) : 0, 1e-5, 0.004, "query");
            int block = tables[offsets[sequences[t]] + positions[t] / 16];
            for (int h = 0; h < s.kv_heads; h++)
                for (int d = 0; d < s.padded; d++) {
                    std::size_t at = (std::size_t(block * s.kv_heads + h) * 16 + positions[t] % 16) * s.padded + d;
                    auto stored = [&](const std::vector<std::uint8_t> &cache, double scale) {
                        if (size == 1) return decode_e4m3(cache[at]) * scale;
                        return decode_bf16(std::uint16_t(cache[at * 2] | cache[at * 2 + 1] << 8));
                    };
                    double slack = size == 1 ? 0.07 : 0.004;
                    check_close(stored(keys, 0.5), d < s.dim ? expected(t, s.heads + h, d) : 0, size == 1 ? 1e-3 : 1e-5, slack, "key");
                    check_close(stored(values, 0.25), d < s.dim ? decode_bf16(qkv[t * width + (s.heads + s.kv_heads + h) * s.dim + d]) : 0,
                                size == 1 ? 1e-3 : 0, slack, "value");
                }
        }
    }
}

TEST(embeds_tokens) {
    auto table = random_bf16(10 * 70, 10);
    auto embeds = [&](const std::vector<int> &tokens, const std::vector<int> &drawn, const std::vector<int> &meant) {
        moebius_embed p{device.upload(table), device.upload(tokens), drawn.empty() ? nullptr : device.upload(drawn),
                        device.filled<float>(3 * 70, 0xff), 3, 70, 0};
        run_plain(device, find_variant(MOEBIUS_EMBED, 0), &p, 3);
        auto out = device.download(p.out, 3 * 70);
        for (int i = 0; i < 3 * 70; i++) check(out[i] == decode_bf16(table[meant[i / 70] * 70 + i % 70]), "channel");
    };
    embeds({9, 0, 3}, {}, {9, 0, 3});
    embeds({~1, 2, ~0}, {7, 4}, {4, 2, 7});
}

TEST(generator_gives_the_golden_numbers) {
    check(random_bits(42, 0) == 0xbdd732262feb6e95ull, "bits 0 of seed 42: " + std::to_string(random_bits(42, 0)));
    check(random_unit(1, 0) >= -1 && random_unit(1, 0) < 1, "unit");
    for (int i = 0; i < 1000; i++) check(std::fabs(decode_e4m3(random_e4m3(7, i))) < 32, "codes are small numbers");
}
