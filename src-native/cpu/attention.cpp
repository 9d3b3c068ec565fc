// Rotary embedding, the write to the paged cache, and causal attention with grouped queries.
//
//   keys, values: one layer of the cache as attention.h lays it out, in float32, bfloat16 or e4m3 codes of x / scale; a block of 16
//   slots holds 16 consecutive positions.
//   out[t, h] = sum over p of softmax(q[t, h] . k[p] / sqrt(head_dim)) v[p], p from 0, or the window's begin, to the token's own
//   position, in that order whatever the chunk a prompt was cut into.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "e4m3.h"
#include "engine.h"

using namespace moebius;

namespace {

constexpr int kBlockTokens = 16;

void rotate(float *x, const float *cosines, const float *sines, int heads, int head_dim) {
    const int half = head_dim / 2;
    for (int h = 0; h < heads; h++, x += head_dim) {
        for (int i = 0; i < half; i++) {
            const float a = x[i], b = x[half + i];
            x[i] = a * cosines[i] - b * sines[i];
            x[half + i] = b * cosines[i] + a * sines[i];
        }
    }
}

uint16_t encode_bf16(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return x != x ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// to[i * step] = x[i], in the cache's type.
void store(const float *x, int count, int type, float scale, void *cache, long at, int step) {
    if (type == MOEBIUS_F32) {
        float *to = static_cast<float *>(cache) + at;
        for (int i = 0; i < count; i++) to[i * step] = x[i];
    } else if (type == MOEBIUS_BF16) {
        uint16_t *to = static_cast<uint16_t *>(cache) + at;
        for (int i = 0; i < count; i++) to[i * step] = encode_bf16(x[i]);
    } else {
        uint8_t *to = static_cast<uint8_t *>(cache) + at;
        for (int i = 0; i < count; i++) to[i * step] = encode_e4m3(x[i] / scale);
    }
}

}  // namespace

void moebius_rope_store(void *engine, float *query, float *key, const float *value, const int *positions, const int *slots,
                        int count, int heads, int kv_heads, int head_dim, const double *frequencies, double factor, void *keys,
                        void *values, int type, float key_scale, float value_scale) {
    Engine &e = engine_of(engine);
    const int half = head_dim / 2;
    const long width = static_cast<long>(kv_heads) * head_dim;
    e.rope.reach(*std::max_element(positions, positions + count) + 1, frequencies, half, factor);
    e.pool.parallel(count, 8, [&](int begin, int end, int) {
        for (long t = begin; t < end; t++) {
            const float *cosines = e.rope.at(positions[t]), *sines = cosines + half;
            rotate(query + t * heads * head_dim, cosines, sines, heads, head_dim);
            rotate(key + t * width, cosines, sines, kv_heads, head_dim);
            const long place = slots[t] % kBlockTokens;
            for (int h = 0; h < kv_heads; h++) {
                const long block = (static_cast<long>(slots[t]) / kBlockTokens * kv_heads + h) * kBlockTokens * head_dim;
                store(key + t * width + h * head_dim, head_dim, type, key_scale, keys, block + place, kBlockTokens);
                store(value + t * width + h * head_dim, head_dim, type, value_scale, values, block + place * head_dim, 1);
            }
        }
    });
}

void moebius_attend(void *engine, const float *query, const void *keys, const void *values, int type, float key_scale,
                    float value_scale, int window, const int *positions, const int *tables, const int *table_offsets,
                    int count, int heads, int kv_heads, int head_dim, float *out, int threads, int run, int tasks) {
    Engine &e = engine_of(engine);
    const int group = heads / kv_heads;
    const float score_scale = key_scale / std::sqrt(static_cast<float>(head_dim));
    const int runs = (kv_heads + run - 1) / run;
    // Tokens that follow each other read the same keys and values; as many together as leave each thread two pieces.
    const int together = std::clamp(count * runs / (2 * threads * tasks), 1, kAttentionTokens);
    std::vector<int> begins;
    for (int t = 0; t < count; t++) {
        const bool follows = t > 0 && table_offsets[t] == table_offsets[t - 1] && positions[t] == positions[t - 1] + 1;
        if (!follows || t - begins.back() == together) begins.push_back(t);
    }
    begins.push_back(count);
    e.pool.parallel((begins.size() - 1) * runs, tasks, threads, [&](int begin, int end, int) {
        float *scratch = Engine::row_memory(together * run * group * kAttentionScratch).data();
        for (int task = begin; task < end; task++) {
            const int t = begins[task / runs], tokens = begins[task / runs + 1] - t, kv_head = task % runs * run;
            const long width = static_cast<long>(heads) * head_dim, place = t * width + kv_head * group * head_dim;
            e.kernels.attend({query + place, keys, values, type, tables + table_offsets[t], window, positions[t] + 1, tokens, width, kv_head,
                              std::min(run, kv_heads - kv_head), kv_heads, head_dim, group, score_scale, value_scale, scratch, out + place});
        }
    });
}
