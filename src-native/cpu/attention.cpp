// Rotary embedding, the write to the paged cache, and causal attention with grouped queries.
//
//   keys, values: [slots][kv_heads * head_dim] of one layer, in float32, bfloat16 or e4m3 codes of x / scale; a block of 16
//   slots holds 16 consecutive positions.
//   out[t, h] = sum over p of softmax(q[t, h] . k[p] / sqrt(head_dim)) v[p], p from 0, or the window's begin, to the token's own position, in that
//   order whatever the chunk a prompt was cut into. Bound by reading the cache.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "e4m3.h"
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

long bytes_of(int type) { return type == MOEBIUS_F32 ? 4 : type == MOEBIUS_BF16 ? 2 : 1; }

void store(const float *x, long count, int type, float scale, void *cache, long slot) {
    auto *to = static_cast<unsigned char *>(cache) + slot * count * bytes_of(type);
    if (type == MOEBIUS_F32) {
        std::memcpy(to, x, count * sizeof(float));
    } else if (type == MOEBIUS_BF16) {
        for (long i = 0; i < count; i++) {
            uint32_t bits;
            std::memcpy(&bits, x + i, sizeof bits);
            const uint16_t rounded = x[i] != x[i] ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
            std::memcpy(to + 2 * i, &rounded, sizeof rounded);
        }
    } else {
        for (long i = 0; i < count; i++) to[i] = encode_e4m3(x[i] / scale);
    }
}

// The heads of a layer's keys or values, one row of head_dim numbers each.
class Heads {
  public:
    Heads(const Kernels &kernels, const void *data, int type, float scale, int head_dim)
        : kernels_(kernels), data_(static_cast<const unsigned char *>(data)), row_bytes_(head_dim * bytes_of(type)) {
        row_.type = type;
        row_.rows = 1;
        row_.columns = head_dim;
        row_.scales.assign(1, scale);
        row_.block_rows = 1;
        row_.block_columns = head_dim;
        decoded_.resize(type == MOEBIUS_F32 ? 0 : head_dim);
    }

    // Valid until the next call.
    const float *row(long index) {
        const unsigned char *from = data_ + index * row_bytes_;
        if (decoded_.empty()) return reinterpret_cast<const float *>(from);
        row_.data = from;
        kernels_.decode_row(row_, 0, decoded_.data());
        return decoded_.data();
    }

  private:
    const Kernels &kernels_;
    const unsigned char *data_;
    long row_bytes_;
    Matrix row_{};
    std::vector<float> decoded_;
};

}  // namespace

void moebius_rope_store(void *engine, float *query, float *key, const float *value, const int *positions, const int *slots,
                        int count, int heads, int kv_heads, int head_dim, float theta, void *keys, void *values, int type,
                        float key_scale, float value_scale) {
    const int half = head_dim / 2;
    const long width = static_cast<long>(kv_heads) * head_dim;
    engine_of(engine).pool.parallel(count, 8, [&](int begin, int end, int) {
        std::vector<double> cosines(half), sines(half);
        for (long t = begin; t < end; t++) {
            for (int i = 0; i < half; i++) {
                const double angle = positions[t] * std::pow(static_cast<double>(theta), -2.0 * i / head_dim);
                cosines[i] = std::cos(angle);
                sines[i] = std::sin(angle);
            }
            rotate(query + t * heads * head_dim, cosines.data(), sines.data(), heads, head_dim);
            rotate(key + t * width, cosines.data(), sines.data(), kv_heads, head_dim);
            store(key + t * width, width, type, key_scale, keys, slots[t]);
            store(value + t * width, width, type, value_scale, values, slots[t]);
        }
    });
}

void moebius_attend(void *engine, const float *query, const void *keys, const void *values, int type, float key_scale,
                    float value_scale, int window, const int *positions, const int *tables, const int *table_offsets,
                    int count, int heads, int kv_heads, int head_dim, float *out) {
    Engine &e = engine_of(engine);
    const int group = heads / kv_heads;
    const float divisor = std::sqrt(static_cast<float>(head_dim));
    e.pool.parallel(count * heads, 1, [&](int begin, int end, int) {
        Heads key_heads(e.kernels, keys, type, key_scale, head_dim), value_heads(e.kernels, values, type, value_scale, head_dim);
        for (int task = begin; task < end; task++) {
            const long t = task / heads, head = task % heads;
            const float *q = query + (t * heads + head) * head_dim;
            const int *table = tables + table_offsets[t];
            const int first = window > 0 ? std::max(0, positions[t] + 1 - window) : 0;
            const int length = positions[t] + 1 - first;
            auto row = [&](int i) {
                const int p = first + i;
                return (static_cast<long>(table[p / kBlockTokens]) * kBlockTokens + p % kBlockTokens) * kv_heads + head / group;
            };
            std::vector<float> &scores = Engine::row_memory(length);
            float largest = -INFINITY;
            for (int p = 0; p < length; p++) {
                scores[p] = e.kernels.dot(q, key_heads.row(row(p)), head_dim) / divisor;
                largest = std::max(largest, scores[p]);
            }
            double sum = 0;
            for (int p = 0; p < length; p++) sum += scores[p] = std::exp(scores[p] - largest);
            float *to = out + (t * heads + head) * head_dim;
            std::fill(to, to + head_dim, 0.0f);
            for (int p = 0; p < length; p++)
                e.kernels.add_scaled(to, scores[p] / static_cast<float>(sum), value_heads.row(row(p)), head_dim);
        }
    });
}
