/* A decoder's weights on a device, as the kernels take them. */
#pragma once
#include <filesystem>

#include "../device.h"

struct Shape {
    int layers, hidden, ffn, heads, kv_heads, head_dim, vocabulary;
    int experts, top_k; /* experts 0: one dense SwiGLU network */
    int window;
    double theta, epsilon;

    int padded_dim() const { return head_dim <= 16 ? 16 : head_dim <= 64 ? 64 : head_dim <= 128 ? 128 : 256; }
    int query_width() const { return heads * head_dim; }
    int qkv_width() const { return (heads + 2 * kv_heads) * head_dim; }
};

/* [n, k], or one for each expert. Inputs of an FP8 product are scaled by one constant (group 0), or per group of channels. */
struct Linear {
    int family = MOEBIUS_BF16_GEMM, n = 0, k = 0, experts = 1;
    const std::uint8_t *weights = nullptr;
    moebius_scales scales{};
    int scales_per_expert = 0;
    float input_scale = 0;
    float *input_scales = nullptr; /* the same on the device */
    int group = 0;

    std::int64_t bytes_per_expert() const { return std::int64_t(n) * k * (family == MOEBIUS_BF16_GEMM ? 2 : 1); }
};

struct Layer {
    const float *attention_norm, *ffn_norm;
    std::vector<Linear> qkv; /* one, or q, k and v */
    const float *bias = nullptr, *query_norm = nullptr, *key_norm = nullptr;
    Linear output, gate, up, down;
    moebius_route router{};  /* router, router_type, router_scales, x_scale */
};

struct Model {
    Shape shape;
    const std::uint16_t *embedding;
    std::vector<Layer> layers;
    const float *norm;
    Linear head;
};

/* A checkpoint's folder; FP8 weights are multiplied by e4m3 inputs as the checkpoint says, or by bf16 inputs. */
Model load_model(Device &device, const std::filesystem::path &folder, bool sixteen_bit_activations);
/* Random e4m3 weights with per-channel scales and static input scales, generated on the device. */
Model random_model(Device &device, const Shape &shape);
inline Shape mixtral_8x7b() { return {32, 4096, 14336, 32, 8, 128, 32000, 8, 2, 0, 1e6, 1e-5}; }
