// Causal attention of query heads that share a key/value head, block by block with a running softmax
// (Milakov and Gimelshein 2018; Rabe and Staats 2021).
//
//   keys: [blocks][kv_heads][head_dim][16], values: [blocks][kv_heads][16][head_dim]: a block of keys gives 16 scores as vectors
//   without sums across lanes, and every key and value is read once for the whole group of heads. Bound by reading them: while a
//   block is summed, the same places of the next one are requested.
#pragma once
#include "kernels.h"
#include "moebius_cpu.h"
#include "math.h"
#include "vector.h"

namespace moebius {
namespace {

constexpr int kBlock = 16;
constexpr int kBlockVectors = kBlock / kLanes;
constexpr int kHeadTile = 4;
/// Channels' vectors whose sums, with four heads, stay in registers.
constexpr int kValueTile = kLanes == 16 ? 4 : 2;
constexpr float kLeast = -1e30f;

template <class Element>
void request(const Element *place) {
    _mm_prefetch(reinterpret_cast<const char *>(place), _MM_HINT_T0);
}

// scores[h][16] = scale * q[h] . keys of a block; next: the keys that come after them.
template <class Type, int HEADS>
void block_scores(const AttentionTask &task, int head, const typename Type::Element *keys, const typename Type::Element *next,
                  float *scores) {
    const float *q = task.query + static_cast<long>(head) * task.head_dim;
    Vector sums[HEADS][kBlockVectors];
    for (auto &of_head : sums)
        for (Vector &sum : of_head) sum = zero();
    for (int d = 0; d < task.head_dim; d++) {
        request(next + d * kBlock);
        for (int v = 0; v < kBlockVectors; v++) {
            const Vector key = Type::load(keys + d * kBlock + v * kLanes);
            for (int h = 0; h < HEADS; h++) sums[h][v] = multiply_add(broadcast(q[h * task.head_dim + d]), key, sums[h][v]);
        }
    }
    for (int h = 0; h < HEADS; h++)
        for (int v = 0; v < kBlockVectors; v++)
            store(scores + (head + h) * kBlock + v * kLanes, multiply(sums[h][v], broadcast(task.score_scale * Type::kFactor)));
}

// out[h][d] = factor[h] * out[h][d] + sum over positions of weights[h][p] * values[p][d], for VECTORS vectors of channels.
template <class Type, int HEADS, int VECTORS>
void block_values(const AttentionTask &task, int head, int channel, const typename Type::Element *values,
                  const typename Type::Element *next, int positions, const float *weights, const float *factors) {
    Vector sums[HEADS][VECTORS];
    float *out = task.out + static_cast<long>(head) * task.head_dim + channel;
    for (int h = 0; h < HEADS; h++)
        for (int v = 0; v < VECTORS; v++)
            sums[h][v] = multiply(broadcast(factors[head + h]), load(out + h * task.head_dim + v * kLanes));
    for (int p = 0; p < positions; p++) {
        Vector value[VECTORS];
        request(next + p * task.head_dim + channel);
        for (int v = 0; v < VECTORS; v++) {
            value[v] = Type::load(values + p * task.head_dim + channel + v * kLanes);
        }
        for (int h = 0; h < HEADS; h++) {
            const Vector weight = broadcast(weights[(head + h) * kBlock + p]);
            for (int v = 0; v < VECTORS; v++) sums[h][v] = multiply_add(weight, value[v], sums[h][v]);
        }
    }
    for (int h = 0; h < HEADS; h++)
        for (int v = 0; v < VECTORS; v++) store(out + h * task.head_dim + v * kLanes, sums[h][v]);
}

template <class Type, int HEADS>
void all_values(const AttentionTask &task, int head, const typename Type::Element *values, const typename Type::Element *next,
                int positions, const float *weights, const float *factors) {
    int channel = 0;
    for (; channel + kValueTile * kLanes <= task.head_dim; channel += kValueTile * kLanes)
        block_values<Type, HEADS, kValueTile>(task, head, channel, values, next, positions, weights, factors);
    for (; channel + kLanes <= task.head_dim; channel += kLanes)
        block_values<Type, HEADS, 1>(task, head, channel, values, next, positions, weights, factors);
    for (; channel < task.head_dim; channel++) {
        for (int h = head; h < head + HEADS; h++) {
            float *out = task.out + static_cast<long>(h) * task.head_dim + channel;
            float sum = factors[h] * *out;
            for (int p = 0; p < positions; p++)
                sum += weights[h * kBlock + p] * first(load_part<Type>(values + p * task.head_dim + channel, 1));
            *out = sum;
        }
    }
}

// Scores of a block to weights e^(score - largest), and their sums by lane; factors say what becomes of the sums so far.
inline void running_softmax(const AttentionTask &task, int skipped, int positions, float *scores, float *largest, float *sums, float *factors) {
    for (int h = 0; h < task.group; h++) {
        float *s = scores + h * kBlock;
        for (int p = 0; p < skipped; p++) s[p] = kLeast;
        for (int p = positions; p < kBlock; p++) s[p] = kLeast;
        bool greater = false;
        for (int v = 0; v < kBlockVectors; v++) greater |= any_greater(load(s + v * kLanes), broadcast(largest[h]));
        factors[h] = 1;
        if (greater) {
            float top = largest[h];
            for (int p = skipped; p < positions; p++) top = s[p] > top ? s[p] : top;
            factors[h] = first(exponential(broadcast(largest[h] - top)));
            largest[h] = top;
        }
        Vector total = multiply(broadcast(factors[h]), load(sums + h * kLanes));
        for (int v = 0; v < kBlockVectors; v++) {
            const Vector weight = exponential(multiply_add(broadcast(-1), broadcast(largest[h]), load(s + v * kLanes)));
            store(s + v * kLanes, weight);
            total = multiply_add(weight, broadcast(1), total);
        }
        store(sums + h * kLanes, total);
    }
}

// A block of one key/value head; the next one lies `ahead` elements on.
template <class Type>
void attend_block(const AttentionTask &task, const typename Type::Element *keys, const typename Type::Element *values, long ahead,
                  int skipped, int positions) {
    float *scores = task.scratch, *sums = scores + task.group * kBlock, *largest = sums + task.group * kLanes, *factors = largest + task.group;
    int head = 0;
    for (; head + kHeadTile <= task.group; head += kHeadTile) block_scores<Type, kHeadTile>(task, head, keys, keys + ahead, scores);
    for (; head < task.group; head++) block_scores<Type, 1>(task, head, keys, keys + ahead, scores);
    running_softmax(task, skipped, positions, scores, largest, sums, factors);
    for (head = 0; head + kHeadTile <= task.group; head += kHeadTile)
        all_values<Type, kHeadTile>(task, head, values, values + ahead, positions, scores, factors);
    for (; head < task.group; head++) all_values<Type, 1>(task, head, values, values + ahead, positions, scores, factors);
}

// Blocks outside, heads and tokens inside: so memory is read once for all tokens, in the order in which it lies, which the processor's
// prefetching follows.
template <class Type>
void attend(const AttentionTask &all) {
    const auto *keys = static_cast<const typename Type::Element *>(all.keys);
    const auto *values = static_cast<const typename Type::Element *>(all.values);
    const long head_elements = static_cast<long>(kBlock) * all.head_dim, outputs = static_cast<long>(all.group) * all.head_dim;
    auto of_head = [&](int token, int i) {
        AttentionTask task = all;
        task.query += token * all.stride + i * outputs;
        task.out += token * all.stride + i * outputs;
        task.scratch += (token * all.run + i) * all.group * kAttentionScratch;
        return task;
    };
    for (int token = 0; token < all.tokens; token++)
        for (int i = 0; i < all.run; i++) {
            const AttentionTask task = of_head(token, i);
            float *sums = task.scratch + all.group * kBlock, *largest = sums + all.group * kLanes;
            for (int h = 0; h < all.group; h++) {
                largest[h] = kLeast;
                store(sums + h * kLanes, zero());
            }
            for (long o = 0; o < outputs; o++) task.out[o] = 0;
        }
    auto first = [&](int token) { return all.window > 0 && all.length + token > all.window ? all.length + token - all.window : 0; };
    auto place = [&](int block) { return (static_cast<long>(all.table[block]) * all.kv_heads + all.kv_head) * head_elements; };
    const int end = all.length + all.tokens - 1;
    for (int begin = first(0) / kBlock * kBlock; begin < end; begin += kBlock) {
        const long here = place(begin / kBlock), ahead = begin + kBlock < end ? place(begin / kBlock + 1) - here : 0;
        for (int i = 0; i < all.run; i++) {
            const long at = here + i * head_elements;
            for (int token = 0; token < all.tokens; token++) {
                const int skipped = first(token) > begin ? first(token) - begin : 0, left = all.length + token - begin;
                if (left <= 0 || skipped >= kBlock) continue;
                attend_block<Type>(of_head(token, i), keys + at, values + at, ahead, skipped, left < kBlock ? left : kBlock);
            }
        }
    }
    for (int token = 0; token < all.tokens; token++)
        for (int i = 0; i < all.run; i++) {
            const AttentionTask task = of_head(token, i);
            const float *sums = task.scratch + all.group * kBlock;
            for (int h = 0; h < all.group; h++) {
                const float factor = Type::kFactor * all.value_scale / sum(load(sums + h * kLanes));
                for (int d = 0; d < all.head_dim; d++) task.out[static_cast<long>(h) * all.head_dim + d] *= factor;
            }
        }
}

void attend(const AttentionTask &all) {
    switch (all.type) {
        case MOEBIUS_F32: return attend<Float32>(all);
        case MOEBIUS_BF16: return attend<BFloat16>(all);
        default: return attend<Float8>(all);
    }
}

}  // namespace
}  // namespace moebius
