#include "bench.h"

#include <algorithm>
#include <numeric>

#include "../model/step.h"
#include "../random_values.h"

BenchPlan BenchPlan::mixtral() {
    return {mixtral_8x7b(), {1, 64, 8, 2, 4, 16, 32, 128, 256}, {8192, 2048, 512, 1024, 4096, 16384}, {1, 8, 64}, {1024, 8192, 32768}, 7};
}
BenchPlan BenchPlan::tiny() { return {{2, 128, 256, 8, 2, 16, 128, 4, 2, 0, 1e4, 1e-5}, {5}, {20}, {2}, {300}, 1}; }

namespace {

const int kShortContext = 128, kLongestPrompt = 8192;

std::vector<int> prompt(int tokens, int vocabulary) {
    std::vector<int> ids(tokens);
    for (int i = 0; i < tokens; i++) ids[i] = int(random_bits(11, i) % vocabulary);
    return ids;
}
Batch decode_batch(int sequences, int context, int vocabulary) {
    Batch batch;
    int block = 0;
    for (int s = 0; s < sequences; s++) batch.add({int(random_bits(12, s) % vocabulary)}, context - 1, block);
    return batch;
}
Batch prefill_batch(int tokens, int history, int vocabulary) {
    Batch batch;
    int block = 0;
    for (int left = tokens; left > 0; left -= kLongestPrompt) batch.add(prompt(std::min(left, kLongestPrompt), vocabulary), history, block);
    return batch;
}

void fill_cache(Device &device, const Shape &shape, const Cache &cache, int blocks) {
    std::size_t elements = std::size_t(blocks) * shape.kv_heads * 16 * shape.padded_dim();
    for (int layer = 0; layer < shape.layers; layer++)
        for (void *part : {cache.keys[layer], cache.values[layer]}) {
            if (cache.type == MOEBIUS_CUDA_E4M3) device.fill_codes(static_cast<std::uint8_t *>(part), elements, 20 + layer);
            else device.fill_bf16(static_cast<std::uint16_t *>(part), elements, 20 + layer, 1);
        }
}

/* Seconds of one of these launches, each after the other; each has memory of its own, more than the L2 holds together. */
double time_each(GpuDevice &device, const Step &step, const std::vector<Launch> &launches, int rounds) {
    device.overlap(false);
    std::size_t repeats = std::max<std::size_t>(1, 16 / launches.size());
    double seconds = device.time([&] { for (std::size_t i = 0; i < repeats; i++) for (const Launch &l : launches) step.launch(l); }, rounds).median;
    return seconds / double(launches.size() * repeats);
}

std::vector<std::size_t> at_site(const Step &step, const std::string &site) {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < step.launches().size(); i++)
        if (step.launches()[i].site == site) found.push_back(i);
    return found;
}

bool is_bf16(const Launch &l) { return l.is_product() ? l.variant->family != MOEBIUS_FP8_GEMM : l.flops > 0; }

/* Tiles much larger or smaller than the rows of an expert are not tried. */
bool worth_trying(const moebius_variant &v, const Launch &now, int compute_capability) {
    moebius_gemm g = now.product();
    int rows = std::max(1, g.rows / g.experts), capped = std::min(rows, 128);
    bool runs = v.gpus == MOEBIUS_ANY_GPU ? compute_capability != 90 || v.family != MOEBIUS_FP8_GEMM : compute_capability == 90;
    return runs && v.family == now.variant->family && v.mats == now.variant->mats && (v.tile_tokens >= capped / 4 || v.tile_tokens >= 64) &&
           (v.tile_tokens <= 4 * std::max(8, rows)) && (!v.spread || g.k_splits > 1);
}

/* Times every kernel of the step, and puts the fastest variant of each product into it. */
void time_kernels(GpuDevice &device, const Bounds &bounds, Step &step, int tokens, int rounds, Report &report) {
    std::vector<std::string> sites;
    for (const Launch &l : step.launches())
        if (std::find(sites.begin(), sites.end(), l.site) == sites.end()) sites.push_back(l.site);
    int count;
    const moebius_variant *all = moebius_variants(&count);
    for (const std::string &site : sites) {
        std::vector<std::size_t> places = at_site(step, site);
        std::vector<Launch> now;
        for (std::size_t i : places) now.push_back(step.launches()[i]);
        double bytes = 0, flops = now[0].flops;
        for (const Launch &l : now) bytes += step.bytes(l) / double(now.size());
        double best = INFINITY;
        for (int i = 0; i < (now[0].is_product() ? count : 1); i++) {
            std::vector<Launch> tried = now;
            if (now[0].is_product()) {
                if (!worth_trying(all[i], now[0], device.compute_capability())) continue;
                for (Launch &l : tried) l = step.with_variant(l, all[i]);
            }
            double seconds = time_each(device, step, tried, rounds);
            report.kernel(site, tried[0].variant->kernel, tokens, seconds, bytes, flops, bounds.seconds(bytes, flops, is_bf16(now[0])));
            if (!now[0].is_product() || seconds >= best) continue;
            best = seconds;
            for (std::size_t j = 0; j < places.size(); j++) step.replace(places[j], tried[j]);
        }
    }
}

/* The products by e4m3's peak, attention by bf16's; reading and computing overlap at best. */
double bound(const Bounds &bounds, const Step &step) {
    double e4m3 = 0, bf16 = 0;
    for (const Launch &l : step.launches()) (is_bf16(l) ? bf16 : e4m3) += l.flops;
    return std::max(step.bytes() / bounds.read_bytes_per_second, e4m3 / bounds.flops_per_second + bf16 / bounds.bf16_flops_per_second);
}

void time_step(GpuDevice &device, const Bounds &bounds, const Step &step, const Shape &shape, const char *variants, int batch, int context, int tokens,
               int rounds, Report &report) {
    device.overlap(true);
    GpuDevice::Time time = device.time([&] { step.run(); }, rounds);
    device.overlap(false);
    report.step(tokens > batch ? "prefill" : "decode", variants, shape.layers, batch, context, tokens, time.median, time.least, bound(bounds, step));
}

}  // namespace

void bench_attention(GpuDevice &device, const Bounds &bounds, const BenchPlan &plan, Report &report) {
    auto run = [&](const Batch &batch, int type, const std::string &size, int tokens) {
        std::size_t keep = device.allocations();
        int blocks = int(batch.tables.size());
        Shape shape = plan.shape;
        shape.hidden = shape.ffn = 128; /* only attention's widths matter */
        double layer_bytes = 2.0 * blocks * 16 * shape.kv_heads * shape.padded_dim() * (type == MOEBIUS_CUDA_E4M3 ? 1 : 2);
        shape.layers = std::clamp(int(8e9 / layer_bytes), 1, device.emulated() ? 1 : 64);
        Model model = random_model(device, shape);
        Cache cache = Cache::allocate(device, shape, blocks, type);
        fill_cache(device, shape, cache, blocks);
        Step step(device, model, cache, batch);
        step.run();
        std::vector<Launch> launches;
        for (const Launch &l : step.launches())
            if (l.site == "attend" || l.site == "merge") launches.push_back(l);
        double bytes = 0, flops = 0;
        for (const Launch &l : launches) {
            bytes += l.site == "attend" ? l.other_bytes / shape.layers : 0;
            flops += l.flops / shape.layers;
        }
        double seconds = time_each(device, step, launches, plan.rounds) * (double(launches.size()) / shape.layers);
        report.kernel(size, launches[0].variant->kernel, tokens, seconds, bytes, flops, bounds.seconds(bytes, flops, true));
        device.release(keep);
    };
    for (int type : {MOEBIUS_CUDA_BF16, MOEBIUS_CUDA_E4M3}) {
        for (int context : plan.contexts)
            for (int batch : plan.batches) run(decode_batch(batch, context, plan.shape.vocabulary), type, "decode of " + std::to_string(context), batch);
        for (int history : {0, plan.contexts.size() > 1 ? plan.contexts[1] : 16}) {
            int tokens = std::min(2048, plan.prefills[0]);
            run(prefill_batch(tokens, history, plan.shape.vocabulary), type, "prefill over " + std::to_string(history), tokens);
        }
    }
}

void bench_steps(GpuDevice &device, const Bounds &bounds, const BenchPlan &plan, Report &kernels, Report &steps) {
    Shape shape = plan.shape;
    double layer_bytes = double(shape.qkv_width() + shape.query_width()) * shape.hidden + 3.0 * shape.experts * shape.ffn * shape.hidden;
    double room = double(device.free_bytes()) - 12e9; /* for activations and cache */
    if (!device.emulated()) shape.layers = std::clamp(int(room / layer_bytes), 1, shape.layers);
    Model model = random_model(device, shape);
    auto run = [&](const Batch &batch, int context, int tokens) {
        std::size_t keep = device.allocations();
        int blocks = int(batch.tables.size()), sequences = int(batch.offsets.size()) - 1;
        Cache cache = Cache::allocate(device, shape, blocks, MOEBIUS_CUDA_BF16);
        Step step(device, model, cache, batch);
        step.run();
        time_step(device, bounds, step, shape, "default", sequences, context, tokens, plan.rounds, steps);
        time_kernels(device, bounds, step, tokens, plan.rounds, kernels);
        time_step(device, bounds, step, shape, "fastest", sequences, context, tokens, plan.rounds, steps);
        device.release(keep);
    };
    for (std::size_t i = 0; i < std::max(plan.decodes.size(), plan.prefills.size()); i++) { /* the most wanted first */
        if (i < plan.decodes.size()) run(decode_batch(plan.decodes[i], kShortContext, shape.vocabulary), kShortContext, plan.decodes[i]);
        if (i < plan.prefills.size()) run(prefill_batch(plan.prefills[i], 0, shape.vocabulary), plan.prefills[i], plan.prefills[i]);
    }
}
