/* random_model: what lies packed is random as it is. Magnitudes keep the sums of a product near those of its inputs. */
#include <cmath>

#include "../../layout.h"
#include "../random_values.h"
#include "model.h"

namespace {

/* Root of the mean square of random_e4m3's values. */
double code_magnitude() {
    double squares = 0;
    for (int c = 0; c < 128; c++) squares += std::pow(decode_e4m3(std::uint8_t(c * 96 / 128)), 2) / 128;
    return std::sqrt(squares);
}

class Generator {
  public:
    Generator(Device &device) : device(device), input_scales(device.upload(std::vector<float>{0.02f})) {}

    Linear linear(int n, int k, int experts) {
        Linear l;
        l.family = MOEBIUS_FP8_GEMM; l.n = n; l.k = k; l.experts = experts;
        std::size_t bytes = std::size_t(experts) * ceil_div(n, kStrip) * ceil_div(k, 128) * kUnit;
        auto *weights = static_cast<std::uint8_t *>(device.allocate(bytes));
        device.fill_codes(weights, bytes, seed++);
        l.weights = weights;
        l.scales_per_expert = n;
        l.scales = {device.upload(std::vector<float>(std::size_t(n) * experts, float(1 / (code_magnitude() * std::sqrt(k))))), 1, k};
        l.input_scale = 0.02f;
        l.input_scales = input_scales;
        return l;
    }
    std::uint16_t *bf16(std::size_t count, double scale) {
        auto *values = static_cast<std::uint16_t *>(device.allocate(count * 2));
        device.fill_bf16(values, count, seed++, float(scale));
        return values;
    }
    Linear bf16_linear(int n, int k) {
        Linear l;
        l.n = n; l.k = k;
        l.weights = reinterpret_cast<std::uint8_t *>(bf16(std::size_t(ceil_div(n, kStrip)) * ceil_div(k, 64) * kUnit / 2, std::sqrt(3.0 / k)));
        return l;
    }
    const float *norm(int columns) { return device.upload(std::vector<float>(columns, 1.0f)); }

  private:
    Device &device;
    float *input_scales;
    std::uint64_t seed = 100;
};

}  // namespace

Model random_model(Device &device, const Shape &s) {
    Generator random(device);
    Model model{s, random.bf16(std::size_t(s.vocabulary) * s.hidden, 1), {}, random.norm(s.hidden), random.bf16_linear(s.vocabulary, s.hidden)};
    for (int i = 0; i < s.layers; i++) {
        Layer l{};
        l.attention_norm = random.norm(s.hidden);
        l.ffn_norm = random.norm(s.hidden);
        l.qkv = {random.linear(s.qkv_width(), s.hidden, 1)};
        l.output = random.linear(s.hidden, s.query_width(), 1);
        l.gate = random.linear(s.ffn, s.hidden, s.experts);
        l.up = random.linear(s.ffn, s.hidden, s.experts);
        l.down = random.linear(s.hidden, s.ffn, s.experts);
        l.router.router = random.bf16(std::size_t(s.experts) * s.hidden, std::sqrt(3.0 / s.hidden));
        l.router.router_type = MOEBIUS_CUDA_BF16;
        model.layers.push_back(l);
    }
    return model;
}
