// Rotary embedding, the write to the paged cache, and causal attention with grouped queries.
//
//   keys, values: [slots][kv_heads * head_dim] of one layer; a block of 16 slots holds 16 consecutive positions.
//   out[t, h] = sum over p of softmax(q[t, h] . k[p] / sqrt(head_dim)) v[p], p from 0 to the token's own position, in that
//   order whatever the chunk a prompt was cut into. Bound by reading the cache.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine.h"

using namespace moebius;

namespace {

constexpr int kBlockTokens = 16;

void rotate(float *x, const double *cosines, const double *sines, int heads, int head_dim) {
    const int half = head_dim / 2;
    for (int h = 0; h < heads; h++, x += head_dim) {
        for (int i = 0; i < half; i++) {
            const float cosine = cosines[i], sine = sines[i], a = x[i], b = x[half + i];
            x[i] = a * cosine - b * sine;
            x[half + i] = b * cosine + a * sine;
        }
    }
}

}  // namespace

void moebius_rope_store(void *engine, float *query, float *key, const float *value, const int *positions, const int *slots,
                        int count, int heads, int kv_heads, int head_dim, float theta, float *keys, float *values) {
    const int half = head_dim / 2;
    const long width = static_cast<long>(kv_heads) * head_dim;
    engine_of(engine).pool.parallel(count, 8, engine_of(engine).pool.threads(), [&](int begin, int end, int) {
        std::vector<double> cosines(half), sines(half);
        for (long t = begin; t < end; t++) {
            for (int i = 0; i < half; i++) {
                const double angle = positions[t] * std::pow(static_cast<double>(theta), -2.0 * i / head_dim);
                cosines[i] = std::cos(angle);
                sines[i] = std::sin(angle);
            }
            rotate(query + t * heads * head_dim, cosines.data(), sines.data(), heads, head_dim);
            rotate(key + t * width, cosines.data(), sines.data(), kv_heads, head_dim);
            std::memcpy(keys + slots[t] * width, key + t * width, width * sizeof(float));
            std::memcpy(values + slots[t] * width, value + t * width, width * sizeof(float));
        }
    });
}

void moebius_attend(void *engine, const float *query, const float *keys, const float *values, const int *positions,
                    const int *tables, const int *table_offsets, int count, int heads, int kv_heads, int head_dim, float *out,
                    int threads, int tasks) {
    Engine &e = engine_of(engine);
    const long width = static_cast<long>(kv_heads) * head_dim;
    const int group = heads / kv_heads;
    const float divisor = std::sqrt(static_cast<float>(head_dim));
    e.pool.parallel(count * heads, tasks, threads, [&](int begin, int end, int) {
        for (int task = begin; task < end; task++) {
            const long t = task / heads, head = task % heads;
            const float *q = query + (t * heads + head) * head_dim;
            const int *table = tables + table_offsets[t];
            const int length = positions[t] + 1;
            const long from = head / group * head_dim;
            auto slot = [&](int p) { return (static_cast<long>(table[p / kBlockTokens]) * kBlockTokens + p % kBlockTokens) * width + from; };
            std::vector<float> &scores = Engine::row_memory(length);
            float largest = -INFINITY;
            for (int p = 0; p < length; p++) {
                scores[p] = e.kernels.dot(q, keys + slot(p), head_dim) / divisor;
                largest = std::max(largest, scores[p]);
            }
            double sum = 0;
            for (int p = 0; p < length; p++) sum += scores[p] = std::exp(scores[p] - largest);
            float *to = out + (t * heads + head) * head_dim;
            std::fill(to, to + head_dim, 0.0f);
            for (int p = 0; p < length; p++)
                e.kernels.add_scaled(to, scores[p] / static_cast<float>(sum), values + slot(p), head_dim);
        }
    });
}
