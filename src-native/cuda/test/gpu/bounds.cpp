#include "bounds.h"

#include <algorithm>
#include <cstdio>

Bounds Bounds::measure(GpuDevice &device) {
    std::size_t keep = device.allocations(), bytes = device.emulated() ? 1 << 16 : std::size_t(4) << 30;
    std::int64_t rounds = device.emulated() ? 2 : 20000;
    device.overlap(false);
    moebius_yardstick memory{device.allocate(bytes), device.allocate(bytes), std::int64_t(bytes / 16)}, products{nullptr, memory.to, rounds};
    device.fill_codes(static_cast<std::uint8_t *>(const_cast<void *>(memory.from)), bytes, 1);
    auto flops_per_second = [&](const moebius_variant &v) {
        double per_round = 2.0 * v.tile_rows * v.tile_tokens * v.stages * v.mats * v.blocks_per_sm * device.multiprocessors();
        return rounds * per_round / device.time([&] { run_kernel(device, v, &products); }, 7).median;
    };
    Bounds b{};
    b.read_bytes_per_second = bytes / device.time([&] { run_kernel(device, find_variant(MOEBIUS_READ_YARDSTICK, 0), &memory); }, 7).median;
    b.copy_bytes_per_second = 2.0 * bytes / device.time([&] {
        device.launch("helper_copy_bytes", {device.multiprocessors() * 4, 1, 1}, 512, 0, &memory, sizeof memory);
    }, 7).median;
    int instruction = device.compute_capability() == 90 ? 0 : 1;
    const moebius_variant &e4m3 = find_variant(MOEBIUS_E4M3_YARDSTICK, instruction), &bf16 = find_variant(MOEBIUS_BF16_YARDSTICK, instruction);
    b.flops_per_second = flops_per_second(e4m3);
    b.flops_instruction = e4m3.recipe;
    b.bf16_flops_per_second = flops_per_second(bf16);
    device.release(keep);
    std::printf("bounds   read %.0f GB/s, copy %.0f GB/s, %.0f TFLOP/s (%s), %.0f TFLOP/s (%s)\n", b.read_bytes_per_second / 1e9,
                b.copy_bytes_per_second / 1e9, b.flops_per_second / 1e12, b.flops_instruction, b.bf16_flops_per_second / 1e12, bf16.recipe);
    return b;
}

double Bounds::seconds(double bytes, double flops, bool bf16) const {
    return std::max(bytes / read_bytes_per_second, flops / (bf16 ? bf16_flops_per_second : flops_per_second));
}

std::string Bounds::json() const {
    char line[400];
    std::snprintf(line, sizeof line,
                  "{\"read_bytes_per_second\": %.6g, \"copy_bytes_per_second\": %.6g, \"flops_per_second\": %.6g, \"flops_instruction\": \"%s\", "
                  "\"bf16_flops_per_second\": %.6g}",
                  read_bytes_per_second, copy_bytes_per_second, flops_per_second, flops_instruction, bf16_flops_per_second);
    return line;
}
