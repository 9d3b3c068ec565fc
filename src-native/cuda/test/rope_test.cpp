/* Biases, norms of heads, rotation and the cache's append against their definitions in double precision. */
#include "check.h"
#include "random_values.h"
#include "rotary.h"

namespace {

struct Shape { int heads, kv_heads, dim, padded, type; bool biased, normed; double factor = 1; };
const int kTokens = 3;
const std::vector<int> kPositions = {0, 37, 1000}, kSequences = {0, 1, 1}, kTableOffsets = {0, 1};

class Rotation {
  public:
    explicit Rotation(Shape s) : s(s), width((s.heads + 2 * s.kv_heads) * s.dim), qkv(random_bf16(kTokens * width, 9)), bias(random_floats(width, 10)),
                                 query_norm(random_floats(s.dim, 11)), key_norm(random_floats(s.dim, 12)) {
        for (int i = 0; i < 65; i++) tables.push_back(64 - i);
    }

    void run(Device &device) {
        std::size_t cache = std::size_t(65) * s.kv_heads * 16 * s.padded * bytes();
        moebius_rope p{};
        const int *positions = device.upload(kPositions);
        float *turns = device.filled<float>(kTokens * s.dim, 0xff);
        for (int first = 0; first < s.dim / 2; first += MOEBIUS_ANGLE_PAIRS) {
            moebius_angles angles = plain_angles(positions, turns, 1e6, kTokens, s.dim / 2, first);
            angles.factor = s.factor;
            run_kernel(device, find_variant(MOEBIUS_ANGLES, 0), &angles);
        }
        p.qkv = device.upload(qkv); p.query = device.filled<std::uint16_t>(kTokens * s.heads * s.padded, 0xff); p.turns = turns;
        if (s.biased) p.bias = device.upload(bias);
        if (s.normed) { p.query_norm = device.upload(query_norm); p.key_norm = device.upload(key_norm); }
        p.keys = device.filled<std::uint8_t>(cache, 0xff); p.values = device.filled<std::uint8_t>(cache, 0xff);
        p.positions = positions; p.sequences = device.upload(kSequences); p.tables = device.upload(tables); p.table_offsets = device.upload(kTableOffsets);
        p.qkv_pitch = width; p.epsilon = 1e-6f; p.key_scale = 0.5f; p.value_scale = 0.25f;
        p.tokens = kTokens; p.heads = s.heads; p.kv_heads = s.kv_heads; p.head_dim = s.dim; p.padded_dim = s.padded; p.cache_type = s.type;
        run_kernel(device, find_variant(MOEBIUS_ROPE, 0), &p);
        query = device.download(p.query, kTokens * s.heads * s.padded);
        keys = device.download(static_cast<std::uint8_t *>(p.keys), cache);
        values = device.download(static_cast<std::uint8_t *>(p.values), cache);
    }

    void compare() const {
        double slack = bytes() == 1 ? 0.07 : 0.004, least = bytes() == 1 ? 2e-3 : 2e-5;
        for (int t = 0; t < kTokens; t++)
            for (int d = 0; d < s.padded; d++) {
                for (int h = 0; h < s.heads; h++)
                    check_close(decode_bf16(query[(t * s.heads + h) * s.padded + d]), d < s.dim ? turned(t, h, query_norm, d) : 0, 2e-5, 0.004, "query");
                for (int h = 0; h < s.kv_heads; h++) {
                    check_close(stored(keys, 0.5, t, h, d), d < s.dim ? turned(t, s.heads + h, key_norm, d) : 0, least, slack, "key");
                    check_close(stored(values, 0.25, t, h, d), d < s.dim ? given(t, s.heads + s.kv_heads + h, d) : 0, least, slack, "value");
                }
            }
    }

  private:
    Shape s;
    int width;
    std::vector<std::uint16_t> qkv, query;
    std::vector<float> bias, query_norm, key_norm;
    std::vector<std::uint8_t> keys, values;
    std::vector<int> tables;

    int bytes() const { return s.type == MOEBIUS_CUDA_E4M3 ? 1 : 2; }
    double given(int t, int head, int d) const {
        return decode_bf16(qkv[t * width + head * s.dim + d]) + (s.biased ? bias[head * s.dim + d] : 0);
    }
    double turned(int t, int head, const std::vector<float> &weight, int d) const {
        double squares = 0;
        for (int i = 0; i < s.dim; i++) squares += given(t, head, i) * given(t, head, i);
        auto channel = [&](int i) { return given(t, head, i) * (s.normed ? weight[i] / std::sqrt(squares / s.dim + 1e-6) : 1); };
        int half = s.dim / 2, i = d % half;
        double angle = kPositions[t] * std::pow(1e6, -2.0 * i / s.dim), a = channel(i), b = channel(i + half);
        return s.factor * (d < half ? a * std::cos(angle) - b * std::sin(angle) : b * std::cos(angle) + a * std::sin(angle));
    }
    double stored(const std::vector<std::uint8_t> &cache, double scale, int t, int head, int d) const {
        int block = tables[kTableOffsets[kSequences[t]] + kPositions[t] / 16];
        std::size_t at = (std::size_t(block * s.kv_heads + head) * 16 + kPositions[t] % 16) * s.padded + d;
        return bytes() == 1 ? decode_e4m3(cache[at]) * scale : decode_bf16(std::uint16_t(cache[at * 2] | cache[at * 2 + 1] << 8));
    }
};

void run(Device &device, Shape s) {
    Rotation rotation(s);
    rotation.run(device);
    rotation.compare();
}

}  // namespace

TEST(rotates_queries_and_keys_and_stores_them_at_their_block) {
    run(device, {4, 2, 8, 16, MOEBIUS_CUDA_BF16, false, false});
    run(device, {8, 2, 128, 128, MOEBIUS_CUDA_E4M3, false, false});
    run(device, {3, 1, 200, 256, MOEBIUS_CUDA_BF16, false, false});
}
TEST(rotates_heads_of_more_than_256_channels) {
    run(device, {2, 1, 258, 258, MOEBIUS_CUDA_BF16, false, false});
    run(device, {2, 1, 320, 320, MOEBIUS_CUDA_BF16, true, true});
    run(device, {3, 1, 512, 512, MOEBIUS_CUDA_E4M3, false, true});
    run(device, {1, 1, 1026, 1026, MOEBIUS_CUDA_BF16, true, true});
}
TEST(adds_biases_before_the_rotation) { run(device, {6, 2, 64, 64, MOEBIUS_CUDA_BF16, true, false}); }
TEST(normalises_each_head_of_query_and_key_before_the_rotation) { run(device, {6, 2, 24, 64, MOEBIUS_CUDA_BF16, true, true}); }
TEST(multiplies_what_it_rotates_by_the_factor) { run(device, {4, 2, 64, 64, MOEBIUS_CUDA_BF16, true, true, 1.125}); }
