#include "bounds.h"

#include <algorithm>
#include <cstdio>

#include "helpers.h"

Bounds Bounds::measure(GpuDevice &device) {
    std::size_t keep = device.allocations(), bytes = device.emulated() ? 1 << 16 : std::size_t(4) << 30;
    bool hopper = device.compute_capability() == 90;
    int blocks = device.multiprocessors(), rounds = device.emulated() ? 2 : 20000;
    device.overlap(false);
    helper_bytes memory{device.allocate(bytes), device.allocate(bytes), std::int64_t(bytes / 16)};
    device.fill_codes(static_cast<std::uint8_t *>(const_cast<void *>(memory.from)), bytes, 1);
    helper_multiply products{static_cast<float *>(memory.to), rounds};
    auto time = [&](const char *kernel, int grid, int threads, int shared, const auto &structure) {
        return device.time([&] { device.launch(kernel, {grid, 1, 1}, threads, shared, &structure, sizeof structure); }, 7).median;
    };
    Bounds b{};
    b.read_bytes_per_second = bytes / time("helper_read_bytes", blocks * 4, 512, 0, memory);
    b.copy_bytes_per_second = 2.0 * bytes / time("helper_copy_bytes", blocks * 4, 512, 0, memory);
    int e4m3_blocks = blocks * (hopper ? 1 : 4);
    b.flops_per_second = e4m3_blocks * rounds * helper_e4m3_flops(hopper) /
                         time("helper_multiply_e4m3", e4m3_blocks, 256, hopper ? kHelperMultiplyShared : 0, products);
    b.bf16_flops_per_second = blocks * 4 * rounds * helper_bf16_flops() / time("helper_multiply_bf16", blocks * 4, 256, 0, products);
    b.flops_instruction = hopper ? "wgmma m64n128k32 e4m3" : "mma m16n8k32 e4m3";
    device.release(keep);
    std::printf("bounds   read %.0f GB/s, copy %.0f GB/s, %.0f TFLOP/s (%s), %.0f TFLOP/s (mma m16n8k16 bf16)\n", b.read_bytes_per_second / 1e9,
                b.copy_bytes_per_second / 1e9, b.flops_per_second / 1e12, b.flops_instruction, b.bf16_flops_per_second / 1e12);
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
