/* load_model: FriendliAI's layout, block-scaled FP8, compressed-tensors' static FP8, and bf16, of all families. */
#include <algorithm>

#include "../../layout.h"
#include "../number_formats.h"
#include "model.h"
#include "safetensors.h"

namespace {

class Loader {
  public:
    Loader(Device &device, const std::filesystem::path &folder, bool wide_inputs) : device(device), wide_inputs(wide_inputs) {
        config = JsonReader::read(read_file(folder / "config.json"));
        for (const auto &entry : std::filesystem::directory_iterator(folder))
            if (entry.path().extension() == ".safetensors" && entry.path().filename() != "golden.safetensors") tensors.add(entry.path());
    }

    Model load() {
        Model model{shape(), bf16("model.embed_tokens.weight"), {}, vector("model.norm.weight"), {}};
        for (int i = 0; i < model.shape.layers; i++) model.layers.push_back(layer(model.shape, "model.layers." + std::to_string(i) + "."));
        model.head = linear({tensors.has("lm_head.weight") ? "lm_head" : "model.embed_tokens"});
        return model;
    }

  private:
    Device &device;
    bool wide_inputs;
    Json config;
    Safetensors tensors;

    int integer(const char *name) const { return int(config.at(name).number); }
    Shape shape() const {
        int heads = integer("num_attention_heads"), hidden = integer("hidden_size");
        int experts = int(config.number_or("num_local_experts", config.number_or("num_experts", 0)));
        bool windowed = !config.has("use_sliding_window") || config.at("use_sliding_window").text == "true";
        return {integer("num_hidden_layers"), hidden, int(config.number_or("moe_intermediate_size", config.number_or("intermediate_size", 0))), heads,
                integer("num_key_value_heads"), int(config.number_or("head_dim", hidden / heads)), integer("vocab_size"), experts,
                experts ? integer("num_experts_per_tok") : 0, windowed ? int(config.number_or("sliding_window", 0)) : 0,
                config.number_or("rope_theta", 1e4), config.number_or("rms_norm_eps", 1e-6)};
    }

    std::vector<float> floats(const std::string &name) const {
        const RawTensor &t = tensors.at(name);
        std::vector<float> values;
        for (std::size_t i = 0; i < t.bytes / (t.type == "BF16" ? 2 : 4); i++) {
            std::uint16_t half = 0;
            if (t.type == "BF16") std::memcpy(&half, t.data + i * 2, 2);
            values.push_back(t.type == "BF16" ? float(decode_bf16(half)) : t.float32(i));
        }
        return values;
    }
    const float *vector(const std::string &name) { return device.upload(floats(name)); }
    const std::uint16_t *bf16(const std::string &name) {
        const RawTensor &t = tensors.at(name);
        void *p = device.allocate(t.bytes);
        device.write(p, t.data, t.bytes);
        return static_cast<const std::uint16_t *>(p);
    }

    /* One matrix for each name: the experts of a product. */
    Linear linear(const std::vector<std::string> &names) {
        const RawTensor &first = tensors.at(names[0] + ".weight");
        Linear l;
        l.n = first.shape.at(0); l.k = first.shape.at(1); l.experts = int(names.size());
        bool codes = first.type != "BF16";
        l.family = !codes ? MOEBIUS_BF16_GEMM : wide_inputs ? MOEBIUS_W8A16_GEMM : MOEBIUS_FP8_GEMM;
        int type = codes ? MOEBIUS_CUDA_E4M3 : MOEBIUS_CUDA_BF16;
        std::size_t size = std::size_t(ceil_div(l.n, kStrip)) * ceil_div(l.k, codes ? 128 : 64) * kUnit;
        auto *packed = static_cast<std::uint8_t *>(device.allocate(size * names.size()));
        std::vector<float> scales;
        for (std::size_t e = 0; e < names.size(); e++) {
            const RawTensor &weight = tensors.at(names[e] + ".weight");
            void *raw = device.allocate(weight.bytes);
            device.write(raw, weight.data, weight.bytes);
            moebius_pack p{raw, packed + e * size, {}, l.k, l.n, l.k, type, type};
            run_kernel(device, find_variant(MOEBIUS_PACK, 0), &p);
            if (codes) for (float v : floats(names[e] + (block() ? ".weight_scale_inv" : ".weight_scale"))) scales.push_back(v);
        }
        l.weights = packed;
        if (!codes) return l;
        l.scales_per_expert = int(scales.size() / names.size());
        l.scales = {device.upload(scales), block() ? block() : l.scales_per_expert == 1 ? l.n : 1, block() ? block() : l.k};
        if (wide_inputs) return l;
        for (const char *suffix : {".in_scale", ".input_scale"})
            if (tensors.has(names[0] + suffix)) l.input_scale = floats(names[0] + suffix)[0];
        if (l.input_scale > 0) l.input_scales = device.upload(std::vector<float>{l.input_scale});
        else l.group = block() ? block() : l.k;
        return l;
    }
    int block() const {
        if (!config.has("quantization_config") || !config.at("quantization_config").has("weight_block_size")) return 0;
        return int(config.at("quantization_config").at("weight_block_size").items.at(0).number);
    }

    Layer layer(const Shape &shape, const std::string &prefix) {
        Layer l{};
        l.attention_norm = vector(prefix + "input_layernorm.weight");
        l.ffn_norm = vector(prefix + "post_attention_layernorm.weight");
        std::vector<float> bias;
        for (const char *part : {"q", "k", "v"}) {
            std::string name = prefix + "self_attn." + part + "_proj";
            l.qkv.push_back(linear({name}));
            if (tensors.has(name + ".bias")) for (float v : floats(name + ".bias")) bias.push_back(v);
        }
        if (!bias.empty()) l.bias = device.upload(bias);
        if (tensors.has(prefix + "self_attn.q_norm.weight")) {
            l.query_norm = vector(prefix + "self_attn.q_norm.weight");
            l.key_norm = vector(prefix + "self_attn.k_norm.weight");
        }
        l.output = linear({prefix + "self_attn.o_proj"});
        bool mixtral = tensors.has(prefix + "block_sparse_moe.gate.weight");
        std::string network = prefix + (mixtral ? "block_sparse_moe." : "mlp.");
        if (shape.experts > 0) l.router = router(network + "gate");
        l.gate = experts(shape, network, mixtral ? "w1" : "gate_proj");
        l.up = experts(shape, network, mixtral ? "w3" : "up_proj");
        l.down = experts(shape, network, mixtral ? "w2" : "down_proj");
        return l;
    }
    Linear experts(const Shape &shape, const std::string &network, const std::string &part) {
        if (shape.experts == 0) return linear({network + part});
        std::vector<std::string> names;
        for (int e = 0; e < shape.experts; e++) names.push_back(network + "experts." + std::to_string(e) + "." + part);
        return linear(names);
    }
    /* A router of e4m3 codes as bf16, exactly. */
    moebius_route router(const std::string &name) {
        moebius_route route{};
        route.router_type = MOEBIUS_CUDA_BF16;
        const RawTensor &t = tensors.at(name + ".weight");
        if (t.type == "BF16") { route.router = bf16(name + ".weight"); return route; }
        std::vector<std::uint16_t> wide;
        for (std::size_t i = 0; i < t.bytes; i++) wide.push_back(encode_bf16(decode_e4m3(std::uint8_t(t.data[i]))));
        route.router = device.upload(wide);
        route.router_scales = device.upload(std::vector<float>(t.shape.at(0), floats(name + ".weight_scale")[0]));
        if (!wide_inputs) route.x_scale = floats(name + ".in_scale")[0];
        return route;
    }
};

}  // namespace

Model load_model(Device &device, const std::filesystem::path &folder, bool sixteen_bit_activations) {
    return Loader(device, folder, sixteen_bit_activations).load();
}
