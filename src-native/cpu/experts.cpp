// The router and the mixture of experts.
//
//   y[t] += sum over k of weight[t, k] * down_e(silu(gate_e x[t]) * up_e x[t]), e = id[t, k], added in the order of k.
//   Tokens are grouped by expert, so that each touched expert's weights are read once: bound by that for few tokens.
#include <cmath>
#include <cstring>

#include "engine.h"

using namespace moebius;

void moebius_route(void *engine, const float *x, const void *router, int rows, int top_k, int *ids, float *weights) {
    const int experts = matrix_of(router).rows;
    std::vector<float> logits(static_cast<size_t>(rows) * experts);
    constexpr int kPanel = 16, kDirect = 4;
    moebius_project(engine, x, router, nullptr, rows, logits.data(), 0, engine_of(engine).pool.threads(), kPanel, kDirect, 0);
    std::vector<double> probabilities(experts);
    for (int t = 0; t < rows; t++) {
        const float *row = logits.data() + static_cast<long>(t) * experts;
        float largest = row[0];
        for (int e = 1; e < experts; e++) largest = std::fmax(largest, row[e]);
        for (int e = 0; e < experts; e++) probabilities[e] = std::exp(static_cast<double>(row[e]) - largest);
        double sum = 0;
        for (int k = 0; k < top_k; k++) {
            int best = -1;
            for (int e = 0; e < experts; e++) {
                bool taken = false;
                for (int j = 0; j < k; j++) taken |= ids[t * top_k + j] == e;
                if (!taken && (best < 0 || probabilities[e] > probabilities[best])) best = e;
            }
            ids[t * top_k + k] = best;
            sum += probabilities[best];
        }
        for (int k = 0; k < top_k; k++)
            weights[t * top_k + k] = static_cast<float>(probabilities[ids[t * top_k + k]] / sum);
    }
}

namespace {

// Tokens of an expert, of prompts or generated: rows [begin, end) of the grouped order.
struct Group {
    const Matrix *gate, *up, *down;
    bool prompt;
    int begin, end;
};

}  // namespace

void moebius_experts(void *engine, const float *x, const int *ids, const float *weights, int rows, int top_k,
                     const int64_t *matrices, const unsigned char *prompt, int experts, float *residual, int threads, int panel, int direct,
                     int interleave, int fused) {
    Engine &e = engine_of(engine);
    const Blocking blocking{threads, panel, direct, interleave};
    // Of each expert two lists: those that tiles may multiply are apart.
    auto in_tiles = [&](int row) { return prompt != nullptr && prompt[row] && e.tiles != nullptr; };
    std::vector<std::vector<int>> chosen(2 * experts);
    for (int pair = 0; pair < rows * top_k; pair++) chosen[2 * ids[pair] + in_tiles(pair / top_k)].push_back(pair);
    std::vector<Group> groups;
    std::vector<int> place(rows * top_k);
    int next = 0;
    for (int list = 0; list < 2 * experts; list++) {
        if (chosen[list].empty()) continue;
        auto matrix = [&](int i) { return reinterpret_cast<const Matrix *>(matrices[3 * (list / 2) + i]); };
        groups.push_back({matrix(0), matrix(1), matrix(2), list % 2 == 1, next, next + static_cast<int>(chosen[list].size())});
        for (int pair : chosen[list]) place[pair] = next++;
    }
    if (groups.empty()) return;
    const long hidden = groups[0].gate->columns, ffn = groups[0].gate->rows;

    const size_t floats = 2 * next * (hidden + ffn);
    if (e.expert_floats.size() < floats) e.expert_floats.resize(floats);
    float *grouped = e.expert_floats.data(), *inner = grouped + next * hidden, *up = inner + next * ffn, *outer = up + next * ffn;
    for (int pair = 0; pair < rows * top_k; pair++)
        std::memcpy(grouped + place[pair] * hidden, x + pair / top_k * hidden, hidden * sizeof(float));
    std::vector<Product> in, out;
    for (const Group &group : groups) {
        const int count = group.end - group.begin;
        const float *input = grouped + group.begin * hidden;
        auto product = [&](const Matrix *w, const float *from, float *to) { return Product{w, from, count, to, false, group.prompt && e.tiled(*w)}; };
        in.push_back(product(group.gate, input, inner + group.begin * ffn));
        in.push_back(product(group.up, input, up + group.begin * ffn));
        out.push_back(product(group.down, inner + group.begin * ffn, outer + group.begin * hidden));
    }
    e.multiply(in, blocking, fused != 0);
    if (!fused)
        e.pool.parallel(next, 1, threads, [&](int begin, int end, int) {
            e.kernels.swiglu(inner + begin * ffn, up + begin * ffn, (end - begin) * ffn);
        });
    e.multiply(out, blocking);
    for (long pair = 0; pair < static_cast<long>(rows) * top_k; pair++)
        e.kernels.add_scaled(residual + pair / top_k * hidden, weights[pair], outer + place[pair] * hidden, hidden);
}
