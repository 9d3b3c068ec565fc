#include "step.h"

#include <algorithm>
#include <cmath>

#include "../../layout.h"
#include "../rotary.h"

static constexpr int kSortedAtOnce = 64; /* tokens of a step whose choices the router sorts itself */

void Batch::add(const std::vector<int> &next, int history, int &block) {
    int sequence = int(offsets.size()) - 1;
    for (int i = 0; i < int(next.size()); i++) {
        tokens.push_back(next[i]);
        positions.push_back(history + i);
        sequences.push_back(sequence);
    }
    table_offsets.push_back(int(tables.size()));
    for (int i = 0; i < ceil_div(history + int(next.size()), kBlockTokens); i++) tables.push_back(block++);
    offsets.push_back(int(tokens.size()));
    logit_rows.push_back(int(tokens.size()) - 1);
}

Cache Cache::allocate(Device &device, const Shape &shape, int blocks, int type) {
    Cache cache{type, {}, {}};
    std::size_t bytes = std::size_t(blocks) * shape.kv_heads * kBlockTokens * shape.padded_dim() * (type == MOEBIUS_CUDA_E4M3 ? 1 : 2);
    for (int i = 0; i < shape.layers; i++) {
        cache.keys.push_back(device.zeros<std::uint8_t>(bytes));
        cache.values.push_back(device.zeros<std::uint8_t>(bytes));
    }
    return cache;
}

Step::Step(Device &device, const Model &model, const Cache &cache, const Batch &batch)
    : device(device), model(model), shape(model.shape), cache(cache), batch(batch), tokens(int(batch.tokens.size())) {
    int top_k = std::max(1, shape.top_k), logit_count = int(batch.logit_rows.size());
    positions = device.upload(batch.positions); sequences = device.upload(batch.sequences);
    tables = device.upload(batch.tables); table_offsets = device.upload(batch.table_offsets);
    offsets = device.upload(batch.offsets); logit_rows = device.upload(batch.logit_rows);
    residual = device.zeros<float>(std::size_t(tokens) * shape.hidden);
    turns = device.zeros<float>(std::size_t(tokens) * shape.head_dim);
    logit_values = device.zeros<float>(std::size_t(logit_count) * shape.vocabulary);
    qkv = device.zeros<std::uint16_t>(std::size_t(tokens) * shape.qkv_width());
    query = device.zeros<std::uint16_t>(std::size_t(tokens) * shape.heads * shape.padded_dim());
    expert_out = device.zeros<std::uint16_t>(std::size_t(tokens) * top_k * shape.hidden);
    expert_weights = device.zeros<float>(std::size_t(tokens) * top_k);
    ids = device.zeros<int>(std::size_t(tokens) * top_k); sources = device.zeros<int>(std::size_t(tokens) * top_k);
    places = device.zeros<int>(std::size_t(tokens) * top_k); ticket = device.zeros<int>(1); chosen = device.zeros<int>(logit_count);
    normed = rows(tokens, shape.hidden); attended = rows(tokens, shape.query_width()); activated = rows(tokens * top_k, shape.ffn);
    for (int i = 0; i < shape.layers; i++) expert_offsets.push_back(device.zeros<int>(shape.experts + 1));

    add("embed", find_variant(MOEBIUS_EMBED, 0), moebius_embed{model.embedding, device.upload(batch.tokens), nullptr, residual, tokens, shape.hidden, 0},
        6.0 * tokens * shape.hidden);
    add("angles", find_variant(MOEBIUS_ANGLES, 0), plain_angles(positions, turns, shape.theta, tokens, shape.head_dim / 2), 4.0 * tokens * shape.head_dim);
    for (int layer = 0; layer < shape.layers; layer++) {
        attention(layer);
        feed_forward(layer);
    }
    head();
}

Step::Rows Step::rows(int count, int columns) {
    std::int64_t pitch = ceil_div(columns, 128) * 128;
    return {device.zeros<std::uint16_t>(count * pitch), device.zeros<std::uint8_t>(count * pitch), device.zeros<float>(count * pitch / 128), pitch};
}

template <class S> Launch &Step::add(const char *site, const moebius_variant &variant, const S &structure, double bytes) {
    Launch next{site, &variant, std::vector<std::uint8_t>(sizeof(S)), {}};
    std::memcpy(next.structure.data(), &structure, sizeof(S));
    moebius_grid(&variant, &structure, device.multiprocessors(), next.grid);
    next.other_bytes = bytes;
    all.push_back(std::move(next));
    return all.back();
}

void Step::launch(const Launch &l) const {
    device.launch(l.variant->kernel, l.grid, l.variant->threads, l.variant->shared_bytes, l.structure.data(), l.structure.size());
}
void Step::run() const { for (const Launch &l : all) launch(l); }

void Step::norm(const char *site, const float *weight, const Linear &next, bool add_experts) {
    moebius_norm p{};
    p.residual = residual;
    if (add_experts) { p.expert_out = expert_out; p.positions = places; p.expert_weights = expert_weights; p.top_k = shape.top_k; }
    p.weight = weight;
    p.out16 = const_cast<std::uint16_t *>(normed.wide);
    if (next.family == MOEBIUS_FP8_GEMM) {
        p.out8 = normed.codes; p.group = next.group; p.out_scales = next.group ? normed.scales : next.input_scales;
    }
    p.out16_pitch = p.out8_pitch = normed.pitch; p.tokens = tokens; p.columns = shape.hidden; p.bound = INFINITY; p.epsilon = shape.epsilon;
    double columns = double(tokens) * shape.hidden;
    add(site, find_variant(MOEBIUS_NORM, 0), p, columns * (8 + 2 + (p.out8 ? 1 : 0) + (add_experts ? 2 * shape.top_k : 0)));
}

void Step::quantize(const char *site, const Rows &x, const Linear &next, int rows, int columns) {
    moebius_quantize p{};
    p.x = x.wide; p.out8 = x.codes; p.out_scales = next.group ? x.scales : next.input_scales;
    p.x_pitch = p.out8_pitch = x.pitch; p.bound = INFINITY; p.rows = rows; p.columns = columns; p.group = next.group;
    add(site, find_variant(MOEBIUS_QUANTIZE, 0), p, 3.0 * rows * columns);
}

/* Parts of K: enough units of work for all multiprocessors, each at least four blocks long. A function of the weight's shape alone. */
static int parts_of_k(int n, int k, int block) {
    int parts = 1;
    while (ceil_div(n, kStrip) * parts < 256 && ceil_div(k, block) >= parts * 8 && ceil_div(k, block) % (parts * 2) == 0) parts *= 2;
    return parts;
}

const moebius_variant &default_variant(int compute_capability, const moebius_gemm &g, int family) {
    bool swiglu = g.epilogue == MOEBIUS_SWIGLU_BF16 || g.epilogue == MOEBIUS_SWIGLU_E4M3;
    int rows = ceil_div(g.rows, g.experts);
    if (family != MOEBIUS_FP8_GEMM || compute_capability != 90) return find_variant(family, (swiglu ? 2 : 0) + (rows > 16));
    int size = rows <= 8 ? 0 : rows <= 16 ? 1 : rows <= 32 ? 2 : 3;
    if (rows > 64) return find_variant(family, swiglu ? 33 : 31);
    return find_variant(family, (swiglu ? 18 : g.k_splits > 1 ? 14 : 10) + size);
}

void Step::product(const char *site, const Linear &weight, const Linear *up, const Rows &x, int rows, void *out, std::int64_t pitch, int epilogue, float out_scale,
                   const int *expert_offsets, const int *row_sources) {
    bool codes = weight.family == MOEBIUS_FP8_GEMM;
    moebius_gemm g{};
    g.weights = weight.weights; g.weight_scales = weight.scales;
    if (up) { g.up = up->weights; g.up_scales = up->scales; }
    g.x = codes ? static_cast<const void *>(x.codes) : x.wide;
    if (codes) g.x_scales = weight.group ? moebius_scales{x.scales, 1, weight.group} : moebius_scales{weight.input_scales, 1 << 30, 1 << 30};
    g.x_pitch_bytes = x.pitch * (codes ? 1 : 2);
    g.out = out; g.out_pitch = pitch; g.offsets = expert_offsets; g.sources = row_sources;
    g.scales_per_expert = weight.scales_per_expert; g.rows = rows; g.n = weight.n; g.k = weight.k; g.experts = weight.experts;
    g.k_splits = parts_of_k(weight.n, weight.k, weight.family == MOEBIUS_BF16_GEMM ? 64 : 128);
    g.epilogue = epilogue; g.out_scale = out_scale; g.raster = 8;
    const moebius_variant &variant = default_variant(device.compute_capability(), g, weight.family);
    if (const char *refusal = place_in(g, variant)) throw std::runtime_error(std::string(variant.kernel) + ": " + refusal);
    int element = epilogue == MOEBIUS_SWIGLU_E4M3 ? 1 : epilogue == MOEBIUS_STORE_F32 ? 4 : epilogue == MOEBIUS_ADD_F32 ? 8 : 2;
    Launch &added = add(site, variant, g, double(rows) * (weight.k * (codes ? 1 : 2) + weight.n * element));
    added.expert_bytes = double(weight.bytes_per_expert()) * (up ? 2 : 1);
    added.expert_offsets = expert_offsets;
    added.flops = 2.0 * rows * weight.n * weight.k * (up ? 2 : 1);
}

/* Gives the product the memory that the variant needs; or why that can't run it. */
const char *Step::place_in(moebius_gemm &g, const moebius_variant &variant) {
    g.partials = nullptr; g.tickets = nullptr;
    if (variant.spread) {
        std::size_t count = moebius_gemm_tiles(&variant, &g), floats = count * variant.mats * 64 * variant.tile_tokens;
        if (floats > partial_floats) partials = device.zeros<float>(partial_floats = floats);
        if (count > ticket_count) tickets = device.zeros<int>(ticket_count = count);
        g.partials = partials; g.tickets = tickets;
    }
    return moebius_gemm_refusal(&variant, &g, device.compute_capability());
}

Launch Step::with_variant(const Launch &launch, const moebius_variant &variant) {
    Launch other = launch;
    moebius_gemm g = launch.product();
    if (const char *refusal = place_in(g, variant)) throw std::runtime_error(std::string(variant.kernel) + ": " + refusal);
    other.variant = &variant;
    std::memcpy(other.structure.data(), &g, sizeof g);
    moebius_grid(&variant, &g, device.multiprocessors(), other.grid);
    return other;
}

void Step::attention(int layer) {
    const Layer &l = model.layers[layer];
    norm("attention_norm", l.attention_norm, l.qkv[0], layer > 0 && shape.experts > 0);
    for (int i = 0, row = 0; i < int(l.qkv.size()); row += l.qkv[i++].n) {
        if (i > 0 && l.qkv[i].input_scale != l.qkv[i - 1].input_scale) quantize("qkv_codes", normed, l.qkv[i], tokens, shape.hidden);
        product("qkv", l.qkv[i], nullptr, normed, tokens, qkv + row, shape.qkv_width(), MOEBIUS_STORE_BF16, 1, nullptr, nullptr);
    }
    moebius_rope p{};
    p.qkv = qkv; p.bias = l.bias; p.query_norm = l.query_norm; p.key_norm = l.key_norm; p.turns = turns; p.query = query;
    p.keys = cache.keys[layer]; p.values = cache.values[layer];
    p.positions = positions; p.sequences = sequences; p.tables = tables; p.table_offsets = table_offsets;
    p.qkv_pitch = shape.qkv_width(); p.epsilon = float(shape.epsilon); p.key_scale = p.value_scale = 1; p.tokens = tokens;
    p.heads = shape.heads; p.kv_heads = shape.kv_heads; p.head_dim = shape.head_dim; p.padded_dim = shape.padded_dim(); p.cache_type = cache.type;
    add("rope", find_variant(MOEBIUS_ROPE, 0), p, 4.0 * tokens * shape.qkv_width());
    attend(layer, l.output);
    product("output", l.output, nullptr, attended, tokens, residual, shape.hidden, MOEBIUS_ADD_F32, 1, nullptr, nullptr);
}

moebius_attend Step::attend_parameters(int layer, const Linear &next) {
    bool codes = next.family == MOEBIUS_FP8_GEMM && next.group == 0;
    moebius_attend p{};
    p.query = query; p.keys = cache.keys[layer]; p.values = cache.values[layer];
    p.out = codes ? static_cast<void *>(attended.codes) : const_cast<std::uint16_t *>(attended.wide);
    p.positions = positions; p.sequences = sequences; p.tables = tables; p.table_offsets = table_offsets; p.offsets = offsets;
    p.out_pitch = attended.pitch; p.key_scale = p.value_scale = 1; p.out_scale = next.input_scale; p.tokens = tokens;
    p.heads = shape.heads; p.kv_heads = shape.kv_heads; p.head_dim = shape.head_dim; p.padded_dim = shape.padded_dim();
    p.cache_type = cache.type; p.out_type = codes ? MOEBIUS_CUDA_E4M3 : MOEBIUS_CUDA_BF16; p.window = shape.window;
    return p;
}

/* Hopper's own where there is one: decode and prefill must be of one instruction. */
const moebius_variant &Step::attention_variant(int family) const {
    int count;
    const moebius_variant *all = moebius_variants(&count), *found = nullptr;
    for (const moebius_variant *v = all; v < all + count; v++) {
        bool fits = v->family == family && v->tile_rows == shape.padded_dim() && v->tile_tokens == cache.type;
        if (fits && (v->gpus == MOEBIUS_ANY_GPU || v->gpus == device.compute_capability())) found = v;
    }
    return *found;
}

void Step::attend(int layer, const Linear &next) {
    moebius_attend p = attend_parameters(layer, next);
    int dims = shape.padded_dim();
    double positions_read = 0; /* tokens of one sequence share what they read */
    for (std::size_t s = 0; s + 1 < batch.offsets.size(); s++) {
        int last = batch.positions[batch.offsets[s + 1] - 1] + 1, next_tokens = batch.offsets[s + 1] - batch.offsets[s];
        positions_read += shape.window ? std::min(last, shape.window + next_tokens - 1) : last;
    }
    double bytes = positions_read * 2 * shape.kv_heads * dims * (cache.type == MOEBIUS_CUDA_E4M3 ? 1 : 2) + 4.0 * tokens * shape.query_width();
    double flops = 4.0 * shape.query_width() * seen_positions();
    if (batch.decodes()) {
        p.max_splits = ceil_div(*std::max_element(batch.positions.begin(), batch.positions.end()) + 1, 256);
        if (shape.window) p.max_splits = std::min(p.max_splits, (shape.window + 254) / 256 + 1);
        if (!attention_partials) attention_partials = device.zeros<float>(std::size_t(tokens) * shape.heads * p.max_splits * (dims + 2));
        p.partials = attention_partials;
        add("attend", attention_variant(MOEBIUS_ATTEND_DECODE), p, bytes).flops = flops;
        if (p.max_splits > 1) add("merge", find_variant(MOEBIUS_ATTEND_MERGE, 0), p, 4.0 * tokens * shape.query_width() * p.max_splits);
    } else {
        int per_tile = 128 / (shape.heads / shape.kv_heads);
        for (std::size_t s = 0; s + 1 < batch.offsets.size(); s++) p.query_tiles += ceil_div(batch.offsets[s + 1] - batch.offsets[s], per_tile);
        add("attend", attention_variant(MOEBIUS_ATTEND_PREFILL), p, bytes).flops = flops;
    }
    if (next.family == MOEBIUS_FP8_GEMM && next.group > 0) quantize("attended_codes", attended, next, tokens, shape.query_width());
}

void Step::feed_forward(int layer) {
    const Layer &l = model.layers[layer];
    bool experts = shape.experts > 0, codes = l.down.family == MOEBIUS_FP8_GEMM && l.down.group == 0;
    int rows = tokens * std::max(1, shape.top_k);
    norm("ffn_norm", l.ffn_norm, l.gate, false);
    int *ends = expert_offsets[layer];
    if (experts) {
        moebius_route route = l.router;
        route.x = normed.wide; route.ids = ids; route.weights = expert_weights; route.x_pitch = normed.pitch;
        route.tokens = tokens; route.hidden = shape.hidden; route.experts = shape.experts; route.top_k = shape.top_k;
        route.ticket = tokens <= kSortedAtOnce ? ticket : nullptr; route.offsets = ends; route.sources = sources; route.positions = places;
        add("route", find_variant(MOEBIUS_ROUTE, 0), route, 2.0 * shape.hidden * (tokens + shape.experts));
        if (!route.ticket)
            add("permute", find_variant(MOEBIUS_PERMUTE, 0), moebius_permute{ids, ends, sources, places, tokens, shape.experts, shape.top_k, 0}, 12.0 * rows);
    }
    product("gate_up", l.gate, &l.up, normed, rows, codes ? static_cast<void *>(activated.codes) : const_cast<std::uint16_t *>(activated.wide), activated.pitch,
            codes ? MOEBIUS_SWIGLU_E4M3 : MOEBIUS_SWIGLU_BF16, l.down.input_scale, experts ? ends : nullptr, experts ? sources : nullptr);
    if (l.down.family == MOEBIUS_FP8_GEMM && !codes) quantize("activated_codes", activated, l.down, rows, shape.ffn);
    if (experts) product("down", l.down, nullptr, activated, rows, expert_out, shape.hidden, MOEBIUS_STORE_BF16, 1, ends, nullptr);
    else product("down", l.down, nullptr, activated, rows, residual, shape.hidden, MOEBIUS_ADD_F32, 1, nullptr, nullptr);
}

void Step::head() {
    int count = int(batch.logit_rows.size());
    norm("norm", model.norm, model.head, shape.experts > 0);
    product("head", model.head, nullptr, normed, count, logit_values, shape.vocabulary, MOEBIUS_STORE_F32, 1, nullptr, logit_rows);
    moebius_sample p{};
    std::vector<float> zeros(count, 0.0f), ones(count, 1.0f);
    p.logits = logit_values; p.adjusted = device.zeros<float>(std::size_t(count) * shape.vocabulary);
    p.temperature = p.min_p = p.presence = p.frequency = device.upload(zeros); p.top_p = p.repetition = device.upload(ones);
    p.top_k = p.indices = device.zeros<int>(count); p.seeds = device.zeros<std::uint64_t>(count);
    p.tokens = chosen; p.logprobs = device.zeros<float>(count); p.status = device.zeros<int>(count);
    p.pitch = p.vocabulary = shape.vocabulary; p.rows = count;
    add("sample", find_variant(MOEBIUS_SAMPLE, 0), p, 4.0 * count * shape.vocabulary);
}

std::vector<float> Step::logits() const { return device.download(logit_values, batch.logit_rows.size() * shape.vocabulary); }
std::vector<int> Step::drawn() const { return device.download(chosen, batch.logit_rows.size()); }

std::int64_t Step::seen_positions() const {
    std::int64_t sum = 0;
    for (int position : batch.positions) sum += shape.window ? std::min(shape.window, position + 1) : position + 1;
    return sum;
}

double Step::bytes(const Launch &launch) const {
    if (!launch.expert_offsets) return launch.expert_bytes + launch.other_bytes;
    std::vector<int> ends = device.download(launch.expert_offsets, shape.experts + 1);
    int used = 0;
    for (int e = 0; e < shape.experts; e++) used += ends[e + 1] > ends[e];
    return used * launch.expert_bytes + launch.other_bytes;
}

double Step::bytes() const {
    double sum = 0;
    for (const Launch &l : all)
        if (l.is_product() || l.site == "attend") sum += bytes(l);
    return sum;
}

double Step::flops() const {
    double sum = 0;
    for (const Launch &l : all) sum += l.flops;
    return sum;
}
