/* Attention over the paged cache against double precision, and decode against prefill bit for bit. */
#include <algorithm>

#include "check.h"
#include "generator.h"
#include "number_formats.h"

namespace {

struct Shape { int heads, kv_heads, dim, padded, type, variant, window = 0; };
struct Sequence { int history, tokens; };

class Attention {
  public:
    Attention(Device &device, Shape s, std::vector<Sequence> sequences) : device(device), s(s) {
        int block = 0;
        for (const Sequence &sequence : sequences) {
            offsets.push_back(tokens);
            table_offsets.push_back(int(tables.size()));
            for (int i = 0; i < sequence.tokens; i++) {
                positions.push_back(sequence.history + i);
                owner.push_back(int(offsets.size()) - 1);
            }
            tokens += sequence.tokens;
            for (int i = 0; i <= (sequence.history + sequence.tokens - 1) / 16; i++) tables.push_back(block++);
        }
        offsets.push_back(tokens);
        std::reverse(tables.begin(), tables.end()); /* blocks in an odd order */
        std::size_t elements = std::size_t(block) * s.kv_heads * 16 * s.padded;
        query = codes(std::size_t(tokens) * s.heads * s.padded, 2, s.padded, 1);
        keys = codes(elements, size(), s.padded, 2);
        values = codes(elements, size(), s.padded, 3);
    }

    /* bytes of out */
    std::vector<std::uint16_t> run(int family) { return run(family, 0, tokens, offsets); }
    /* Of `count` tokens from `first` on, alone; prefilled ones are of the first sequence. */
    std::vector<std::uint16_t> run(int family, int first, int count) { return run(family, first, count, {0, count}); }

  private:
    std::vector<std::uint16_t> run(int family, int first, int count, const std::vector<int> &offsets) {
        moebius_attend p{};
        std::size_t row = std::size_t(s.heads) * s.padded;
        p.query = device.upload(wide(query)) + first * row;
        p.keys = device.upload(keys); p.values = device.upload(values);
        p.positions = device.upload(positions) + first; p.sequences = device.upload(owner) + first; p.tables = device.upload(tables);
        p.table_offsets = device.upload(table_offsets); p.offsets = device.upload(offsets);
        p.out_pitch = s.heads * s.dim; p.key_scale = 0.25f; p.value_scale = 0.5f; p.out_scale = 1;
        p.tokens = count; p.heads = s.heads; p.kv_heads = s.kv_heads; p.head_dim = s.dim; p.padded_dim = s.padded;
        p.cache_type = s.type; p.out_type = MOEBIUS_CUDA_BF16;
        p.window = s.window;
        p.max_splits = *std::max_element(positions.begin(), positions.end()) / 256 + 1;
        if (s.window) p.max_splits = std::min(p.max_splits, (s.window + 254) / 256 + 1);
        p.partials = device.filled<float>(std::size_t(count) * s.heads * p.max_splits * (s.padded + 2), 0xff);
        p.out = device.filled<std::uint16_t>(std::size_t(count) * s.heads * s.dim, 0xff);
        if (family == MOEBIUS_ATTEND_PREFILL) p.query_tiles = count / (128 / (s.heads / s.kv_heads)) + int(offsets.size());
        run_kernel(device, find_variant(family, s.variant), &p);
        if (family == MOEBIUS_ATTEND_DECODE && p.max_splits > 1) run_kernel(device, find_variant(MOEBIUS_ATTEND_MERGE, 0), &p);
        return device.download(static_cast<std::uint16_t *>(p.out), std::size_t(count) * s.heads * s.dim);
    }

  public:
    void compare(const std::vector<std::uint16_t> &out, const std::string &what) {
        for (int t = 0; t < tokens; t++)
            for (int h = 0; h < s.heads; h++) {
                int kv = h / (s.heads / s.kv_heads), first = s.window ? std::max(0, positions[t] - s.window + 1) : 0;
                std::vector<double> weights(positions[t] + 1), sums(s.dim);
                double largest = -INFINITY, total = 0;
                for (int j = first; j <= positions[t]; j++) {
                    for (int d = 0; d < s.dim; d++) weights[j] += element(query, 2, (t * s.heads + h) * s.padded + d) * cached(keys, t, kv, j, d, 0.25);
                    weights[j] /= std::sqrt(s.dim);
                    largest = std::max(largest, weights[j]);
                }
                for (int j = first; j <= positions[t]; j++) {
                    double w = std::exp(weights[j] - largest);
                    total += w;
                    for (int d = 0; d < s.dim; d++) sums[d] += w * cached(values, t, kv, j, d, 0.5);
                }
                for (int d = 0; d < s.dim; d++) check_close(decode_bf16(out[(t * s.heads + h) * s.dim + d]), sums[d] / total, 0.006, 0.012, what);
            }
    }
    /* The blocks of all earlier positions are used by somebody else, with NaNs. */
    void forget_before(int position) {
        for (int i = 0; i < position / 16; i++)
            for (std::size_t b = 0; b < std::size_t(s.kv_heads) * 16 * s.padded * size(); b++)
                keys[tables[i] * s.kv_heads * 16 * s.padded * size() + b] = values[tables[i] * s.kv_heads * 16 * s.padded * size() + b] = 0xff;
    }
    int tokens = 0;

  private:
    Device &device;
    Shape s;
    std::vector<int> positions, owner, offsets, tables, table_offsets;
    std::vector<std::uint8_t> query, keys, values;

    int size() const { return s.type == MOEBIUS_CUDA_E4M3 ? 1 : 2; }
    std::vector<std::uint8_t> codes(std::size_t count, int bytes, int row, std::uint64_t seed) {
        std::vector<std::uint8_t> result(count * bytes);
        for (std::size_t i = 0; i < count; i++) {
            bool padding = int(i % row) >= s.dim;
            std::uint16_t h = padding ? 0 : bytes == 1 ? random_e4m3(seed, i) & 0xbf : encode_bf16(2 * random_unit(seed, i));
            std::memcpy(&result[i * bytes], &h, bytes);
        }
        return result;
    }
    static std::vector<std::uint16_t> wide(const std::vector<std::uint8_t> &bytes) {
        std::vector<std::uint16_t> result(bytes.size() / 2);
        std::memcpy(result.data(), bytes.data(), bytes.size());
        return result;
    }
    static double element(const std::vector<std::uint8_t> &from, int bytes, std::size_t i) {
        std::uint16_t h = 0;
        std::memcpy(&h, &from[i * bytes], bytes);
        return bytes == 1 ? decode_e4m3(std::uint8_t(h)) : decode_bf16(h);
    }
    double cached(const std::vector<std::uint8_t> &cache, int t, int kv, int position, int d, double scale) const {
        int block = tables[table_offsets[owner[t]] + position / 16];
        std::size_t at = (std::size_t(block * s.kv_heads + kv) * 16 + position % 16) * s.padded + d;
        return element(cache, size(), at) * (size() == 1 ? scale : 1);
    }
};

void run(Device &device, Shape s, const std::vector<Sequence> &sequences) {
    Attention attention(device, s, sequences);
    std::string what = "window " + std::to_string(s.window) + ", head dim " + std::to_string(s.dim) + ", cache type " + std::to_string(s.type);
    auto decode = attention.run(MOEBIUS_ATTEND_DECODE), prefill = attention.run(MOEBIUS_ATTEND_PREFILL);
    attention.compare(decode, "decode, " + what);
    attention.compare(prefill, "prefill, " + what);
    check(decode == prefill, "decode and prefill give the same bytes, " + what);
}

void run_general(Device &device, Shape s, const std::vector<Sequence> &sequences) {
    Attention attention(device, s, sequences);
    attention.compare(attention.run(MOEBIUS_ATTEND_GENERAL), std::to_string(s.heads) + " heads over " + std::to_string(s.kv_heads) + " of " + std::to_string(s.dim));
}

/* The last rows of one sequence, and many sequences of one token. */
void compare_row_counts(Device &device, const Shape &s) {
    constexpr int kMost = 512;
    Attention prompt(device, s, {{0, kMost}});
    std::vector<Sequence> sequences;
    for (int i = 0; i < kMost; i++) sequences.push_back({i % 60, 1});
    Attention decodes(device, s, sequences);
    auto whole = prompt.run(MOEBIUS_ATTEND_PREFILL), all = decodes.run(MOEBIUS_ATTEND_DECODE);
    int row = s.heads * s.dim;
    for (int count : row_counts()) {
        int last = kMost - count;
        std::string what = std::to_string(count) + " rows, head dim " + std::to_string(s.dim);
        auto end = prompt.run(MOEBIUS_ATTEND_PREFILL, last, count);
        check(std::equal(end.begin(), end.end(), whole.begin() + last * row), "prefill of " + what);
        auto some = decodes.run(MOEBIUS_ATTEND_DECODE, last, count);
        check(std::equal(some.begin(), some.end(), all.begin() + last * row), "decode of " + what);
    }
}

}  // namespace

TEST(attention_on_hopper_reads_paged_history_of_both_cache_types) {
    if (device.compute_capability() != 90) return;
    for (int type : {MOEBIUS_CUDA_BF16, MOEBIUS_CUDA_E4M3}) {
        int base = type == MOEBIUS_CUDA_E4M3 ? 12 : 10;
        run(device, {4, 1, 64, 64, type, base}, {{63, 2}, {0, 35}, {190, 3}});
        run(device, {6, 2, 40, 64, type, base}, {{0, 1}, {124, 47}});
        run(device, {8, 2, 128, 128, type, base + 1}, {{300, 1}, {5, 3}});
        run(device, {2, 1, 128, 128, type, base + 1}, {{511, 2}});
    }
}
TEST(attention_on_hopper_joins_splits_in_order_and_sees_no_further_than_its_window) {
    if (device.compute_capability() != 90) return;
    run(device, {2, 1, 64, 64, MOEBIUS_CUDA_BF16, 10}, {{250, 70}, {767, 2}});
    for (int window : {1, 5, 64, 300}) run(device, {4, 2, 64, 64, MOEBIUS_CUDA_E4M3, 12, window}, {{0, 3}, {250, 70}, {767, 2}});
    run(device, {20, 1, 64, 64, MOEBIUS_CUDA_BF16, 10}, {{10, 7}});
    Attention attention(device, {2, 1, 64, 64, MOEBIUS_CUDA_BF16, 10, 20}, {{600, 3}});
    auto whole = attention.run(MOEBIUS_ATTEND_DECODE);
    attention.forget_before(576);
    check(attention.run(MOEBIUS_ATTEND_DECODE) == whole && attention.run(MOEBIUS_ATTEND_PREFILL) == whole, "bytes without the old blocks");
}
TEST(attention_reads_paged_history_of_every_head_dim_and_cache_type) {
    for (int type : {MOEBIUS_CUDA_BF16, MOEBIUS_CUDA_E4M3}) {
        int base = type == MOEBIUS_CUDA_E4M3 ? 4 : 0;
        run(device, {4, 2, 8, 16, type, base}, {{0, 1}, {0, 5}, {250, 9}});
        run(device, {4, 1, 64, 64, type, base + 1}, {{63, 2}, {0, 35}});
        run(device, {8, 2, 128, 128, type, base + 2}, {{300, 1}, {5, 3}});
        run(device, {2, 2, 200, 256, type, base + 3}, {{40, 2}});
    }
}
TEST(attention_sees_no_further_than_its_window) {
    for (int window : {1, 5, 64, 300}) {
        run(device, {4, 2, 16, 16, MOEBIUS_CUDA_BF16, 0, window}, {{0, 3}, {250, 70}, {767, 2}});
        run(device, {2, 1, 64, 64, MOEBIUS_CUDA_E4M3, 5, window}, {{600, 1}});
    }
    run(device, {1, 1, 200, 256, MOEBIUS_CUDA_BF16, 3, 40}, {{300, 2}});
}
TEST(attention_reads_nothing_from_blocks_that_a_window_has_left_behind) {
    Attention attention(device, {2, 1, 16, 16, MOEBIUS_CUDA_BF16, 0, 20}, {{600, 3}});
    auto whole = attention.run(MOEBIUS_ATTEND_DECODE);
    attention.forget_before(576);
    check(attention.run(MOEBIUS_ATTEND_DECODE) == whole && attention.run(MOEBIUS_ATTEND_PREFILL) == whole, "bytes without the old blocks");
}
TEST(attention_joins_splits_in_order) {
    run(device, {2, 1, 16, 16, MOEBIUS_CUDA_BF16, 0}, {{255, 3}, {511, 2}, {767, 1}});
    run(device, {6, 2, 16, 16, MOEBIUS_CUDA_BF16, 0}, {{600, 50}});
}
TEST(attention_serves_more_than_16_query_heads_per_kv_head) { run(device, {20, 1, 16, 16, MOEBIUS_CUDA_BF16, 0}, {{10, 7}}); }
TEST(attention_takes_heads_and_groups_that_no_tile_holds) {
    for (int type : {MOEBIUS_CUDA_BF16, MOEBIUS_CUDA_E4M3}) {
        run_general(device, {2, 1, 320, 320, type, 0}, {{0, 1}, {0, 5}, {250, 9}});
        run_general(device, {3, 3, 512, 512, type, 0}, {{300, 2}});
        run_general(device, {192, 1, 8, 16, type, 0}, {{17, 3}});
    }
    run_general(device, {1, 1, 1026, 1026, MOEBIUS_CUDA_BF16, 0}, {{2, 2}});
    for (int window : {1, 5, 300}) run_general(device, {2, 1, 258, 258, MOEBIUS_CUDA_E4M3, 0, window}, {{0, 3}, {510, 4}});
}
TEST(attention_without_tiles_reads_nothing_before_its_window_and_gives_a_row_its_bytes_alone) {
    Attention attention(device, {2, 1, 320, 320, MOEBIUS_CUDA_BF16, 0, 20}, {{600, 3}});
    auto whole = attention.run(MOEBIUS_ATTEND_GENERAL);
    attention.forget_before(576);
    check(attention.run(MOEBIUS_ATTEND_GENERAL) == whole, "bytes without the old blocks");
    auto last = attention.run(MOEBIUS_ATTEND_GENERAL, 2, 1);
    check(std::equal(last.begin(), last.end(), whole.begin() + 2 * 2 * 320), "bytes of the last token alone");
}
TEST(attention_gives_a_row_the_same_bytes_among_1_to_512_rows) {
    compare_row_counts(device, {4, 2, 16, 16, MOEBIUS_CUDA_BF16, 0});
    compare_row_counts(device, {2, 1, 16, 16, MOEBIUS_CUDA_E4M3, 4, 100});
    if (device.compute_capability() == 90) compare_row_counts(device, {2, 1, 64, 64, MOEBIUS_CUDA_BF16, 10});
}
