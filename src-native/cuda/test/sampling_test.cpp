/* The sampler against a plain one in double precision. */
#include <algorithm>
#include <numeric>

#include "check.h"
#include "generator.h"

namespace {

struct Row { float temperature = 1, top_p = 1, min_p = 0, repetition = 1, presence = 0, frequency = 0; int top_k = 0, index = 0; std::uint64_t seed = 1; };

struct Result { std::vector<int> tokens, status, top_ids; std::vector<float> logprobs, top_values; };

class Sampling {
  public:
    Sampling(Device &device, int vocabulary, std::vector<Row> rows) : device(device), vocabulary(vocabulary), rows(std::move(rows)) {
        for (std::size_t i = 0; i < this->rows.size() * vocabulary; i++) logits.push_back(8 * random_unit(5, i));
    }
    Result run(int top_logprobs = 0) {
        int count = int(rows.size());
        auto column = [&](auto field) { std::vector<std::decay_t<decltype(rows[0].*field)>> v; for (auto &r : rows) v.push_back(r.*field); return device.upload(v); };
        moebius_sample p{};
        p.logits = device.upload(logits); p.adjusted = device.filled<float>(logits.size(), 0xff);
        p.temperature = column(&Row::temperature); p.top_p = column(&Row::top_p); p.min_p = column(&Row::min_p);
        p.repetition = column(&Row::repetition); p.presence = column(&Row::presence); p.frequency = column(&Row::frequency);
        p.top_k = column(&Row::top_k); p.indices = column(&Row::index); p.seeds = column(&Row::seed);
        if (!allowed.empty()) p.allowed = device.upload(allowed);
        if (!bias_ids.empty()) { p.bias_offsets = device.upload(bias_offsets); p.bias_ids = device.upload(bias_ids); p.bias_values = device.upload(bias_values); }
        if (!counts.empty()) {
            std::vector<std::uint16_t *> each;
            for (int r = 0; r < count; r++) each.push_back(device.upload(std::vector<std::uint16_t>(counts.begin() + r * vocabulary, counts.begin() + (r + 1) * vocabulary)));
            device_counts = each;
            p.counts = device.upload(each);
        }
        p.tokens = device.filled<int>(count, 0xff); p.status = device.filled<int>(count, 0xff); p.logprobs = device.filled<float>(count, 0xff);
        p.top_ids = device.filled<int>(count * top_logprobs + 1, 0xff); p.top_values = device.filled<float>(count * top_logprobs + 1, 0xff);
        p.pitch = vocabulary; p.rows = count; p.vocabulary = vocabulary; p.top_logprobs = top_logprobs;
        run_kernel(device, find_variant(MOEBIUS_SAMPLE, 0), &p);
        return {device.download(p.tokens, count), device.download(p.status, count), device.download(p.top_ids, count * top_logprobs),
                device.download(p.logprobs, count), device.download(p.top_values, count * top_logprobs)};
    }
    /* The token a plain sampler draws, and the distance of the draw to the nearest edge between tokens. */
    int expected(int r, double &margin) const {
        const Row &row = rows[r];
        std::vector<double> l(logits.begin() + r * vocabulary, logits.begin() + (r + 1) * vocabulary);
        for (int id = 0; id < vocabulary; id++) {
            if (!std::isfinite(l[id])) l[id] = -INFINITY;
            for (int i = bias_ids.empty() ? 0 : bias_offsets[r]; i < (bias_ids.empty() ? 0 : bias_offsets[r + 1]); i++) if (bias_ids[i] == id) l[id] += bias_values[i];
            int seen = counts.empty() ? 0 : counts[r * vocabulary + id], times = seen & 0x7fff;
            if (seen) l[id] = l[id] > 0 ? l[id] / row.repetition : l[id] * row.repetition;
            if (times) l[id] -= row.presence + row.frequency * times;
            if (!allowed.empty() && !(allowed[r * ((vocabulary + 31) / 32) + id / 32] >> (id % 32) & 1)) l[id] = -INFINITY;
        }
        std::vector<int> order(vocabulary);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return l[a] > l[b]; });
        margin = 1;
        if (row.temperature == 0) return order[0];
        int kept = row.top_k > 0 ? std::min(row.top_k, vocabulary) : vocabulary;
        std::vector<double> w(vocabulary);
        double total = 0, sum = 0;
        for (int i = 0; i < kept; i++) total += w[order[i]] = std::exp((l[order[i]] - l[order[0]]) / row.temperature);
        for (int i = 0; i < kept && row.top_p < 1; i++) { if (sum >= row.top_p * total) w[order[i]] = 0; sum += w[order[i]]; }
        for (double &v : w) if (v < row.min_p) v = 0;
        total = std::accumulate(w.begin(), w.end(), 0.0);
        std::uint64_t z = mix(row.seed) + 0x9e3779b97f4a7c15ull * (row.index + 1);
        double target = total * double(mix(z) >> 11) * 0x1p-53;
        sum = 0;
        for (int id = 0; id < vocabulary; id++) {
            if (w[id] > 0 && sum + w[id] > target) { margin = std::min(target - sum, sum + w[id] - target) / total; return id; }
            sum += w[id];
        }
        return -1;
    }
    void check_tokens(const std::string &what) {
        Result result = run();
        for (int r = 0; r < int(rows.size()); r++) {
            double margin;
            int id = expected(r, margin);
            if (margin > 1e-5) check(result.tokens[r] == id, what + ", row " + std::to_string(r) + ": " + std::to_string(result.tokens[r]) + " instead of " + std::to_string(id));
        }
    }

    Device &device;
    int vocabulary;
    std::vector<Row> rows;
    std::vector<float> logits, bias_values;
    std::vector<int> bias_offsets, bias_ids;
    std::vector<std::uint32_t> allowed;
    std::vector<std::uint16_t> counts;
    std::vector<std::uint16_t *> device_counts;

  private:
    static std::uint64_t mix(std::uint64_t z) {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }
};

Row row(float temperature, int top_k, float top_p, float min_p, std::uint64_t seed) {
    Row r;
    r.temperature = temperature; r.top_k = top_k; r.top_p = top_p; r.min_p = min_p; r.seed = seed; r.index = int(seed % 5);
    return r;
}

}  // namespace

TEST(samples_what_the_plain_sampler_samples) {
    for (int vocabulary : {40, 3000}) {
        std::vector<Row> rows;
        for (int i = 0; i < 12; i++) {
            rows.push_back(row(0.8f, 0, 1, 0, i));
            rows.push_back(row(1.5f, 7, 1, 0, i + 100));
            rows.push_back(row(1, 0, 0.7f, 0, i + 200));
            rows.push_back(row(1.2f, 20, 0.9f, 0.05f, i + 300));
        }
        rows.push_back(row(0, 0, 1, 0, 1));
        Sampling(device, vocabulary, rows).check_tokens("vocabulary " + std::to_string(vocabulary));
    }
}
TEST(equal_logits_are_kept_from_the_lowest_id) {
    std::vector<Row> rows;
    for (int i = 0; i < 8; i++) { rows.push_back(row(1, 3, 1, 0, i)); rows.push_back(row(1, 0, 0.3f, 0, i)); }
    Sampling sampling(device, 50, rows);
    std::fill(sampling.logits.begin(), sampling.logits.end(), 1.0f);
    sampling.check_tokens("ties");
    rows.assign(2, row(0, 0, 1, 0, 1));
    Sampling greedy(device, 50, rows);
    std::fill(greedy.logits.begin(), greedy.logits.end(), -1.0f);
    for (int token : greedy.run().tokens) check(token == 0, "lowest id of equals");
}
TEST(applies_bias_penalties_and_allowed_tokens_in_order) {
    int vocabulary = 100;
    std::vector<Row> rows;
    for (int i = 0; i < 10; i++) {
        Row r = row(i % 2 ? 0 : 0.7f, 0, 1, 0, i);
        r.repetition = 1.3f; r.presence = 0.5f; r.frequency = 0.25f;
        rows.push_back(r);
    }
    Sampling sampling(device, vocabulary, rows);
    for (int i = 0; i < 10 * vocabulary; i++) sampling.counts.push_back(i % 3 == 0 ? 0x8000 : i % 7 == 0 ? 0x8002 : i % 5 == 0 ? 3 : 0);
    sampling.bias_offsets = {0};
    for (int i = 0; i < 10; i++) {
        sampling.bias_ids.push_back(i * 3); sampling.bias_values.push_back(6);
        sampling.bias_ids.push_back(i * 3 + 1); sampling.bias_values.push_back(-20);
        sampling.bias_offsets.push_back(2 * i + 2);
    }
    for (int i = 0; i < 10 * 4; i++) sampling.allowed.push_back(0xfff7ffffu - (1u << i % 9));
    std::vector<std::uint16_t> before = sampling.counts;
    sampling.check_tokens("adjusted");
    auto after = device.download(sampling.device_counts[0], vocabulary);
    int grown = 0;
    for (int id = 0; id < vocabulary; id++) grown += after[id] - before[id];
    check(grown == 1, "the chosen token is counted");
}
TEST(reports_logprobs_of_the_raw_logits) {
    int vocabulary = 333;
    Sampling sampling(device, vocabulary, {row(0, 0, 1, 0, 1), row(1, 5, 1, 0, 2)});
    Result result = sampling.run(4);
    for (int r = 0; r < 2; r++) {
        const float *l = &sampling.logits[r * vocabulary];
        double sum = 0;
        for (int id = 0; id < vocabulary; id++) sum += std::exp(double(l[id]));
        check_close(result.logprobs[r], l[result.tokens[r]] - std::log(sum), 1e-4, 1e-5, "logprob");
        std::vector<int> order(vocabulary);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return l[a] > l[b]; });
        for (int j = 0; j < 4; j++) {
            check(result.top_ids[r * 4 + j] == order[j], "top id");
            check_close(result.top_values[r * 4 + j], l[order[j]] - std::log(sum), 1e-4, 1e-5, "top logprob");
        }
    }
}
TEST(marks_rows_with_logits_that_are_not_finite) {
    Sampling sampling(device, 60, {row(1, 0, 1, 0, 1), row(1, 0, 1, 0, 1), row(1, 0, 1, 0, 1)});
    sampling.logits[60 + 7] = NAN;
    for (int id = 0; id < 60; id++) sampling.logits[120 + id] = NAN;
    Result result = sampling.run();
    check(result.status[0] == 0 && result.status[1] == 1 && result.status[2] == 2, "status");
}
