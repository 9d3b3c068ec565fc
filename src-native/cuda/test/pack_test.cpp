/* Packing, byte by byte, of every type a checkpoint has. */
#include "../layout.h"
#include "check.h"
#include "random_values.h"

namespace {

struct Source { int type, bytes; };

/* bf16(element * scale of its block), or the e4m3 code; zeros beyond the matrix. */
void run(Device &device, Source source, int to_type, bool scaled) {
    const int n = 70, k = 150, pitch = 160, bytes = to_type == MOEBIUS_CUDA_E4M3 ? 1 : 2, across = 128 / bytes, blocks = ceil_div(k, across);
    std::vector<std::uint8_t> from(n * pitch * source.bytes);
    std::vector<double> values(n * pitch);
    for (int i = 0; i < n * pitch; i++) {
        float f = random_unit(1, i);
        std::uint16_t half = std::uint16_t(0x3000 + random_bits(1, i) % 0x400), narrow = encode_bf16(f); /* halves from 0.125 to 0.25 */
        std::uint8_t code = random_e4m3(1, i);
        switch (source.type) {
            case MOEBIUS_CUDA_F32: std::memcpy(&from[i * 4], &f, 4); values[i] = f; break;
            case MOEBIUS_CUDA_BF16: std::memcpy(&from[i * 2], &narrow, 2); values[i] = decode_bf16(narrow); break;
            case MOEBIUS_CUDA_INT4: from[i / 32 * 16 + i % 16] |= (code & 15) << i % 32 / 16 * 4; values[i] = (code & 15) - 8; break;
            case MOEBIUS_CUDA_F16: std::memcpy(&from[i * 2], &half, 2); values[i] = 0.125 * (1 + half % 0x400 / 1024.0); break;
            default: from[i] = code; values[i] = decode_e4m3(code);
        }
    }
    std::vector<float> scales = random_floats(ceil_div(n, 3) * ceil_div(k, 40), 2);
    std::size_t size = std::size_t(ceil_div(n, kStrip)) * blocks * kUnit;
    moebius_pack p{device.upload(from), device.filled<std::uint8_t>(size, 0xff), {}, pitch, n, k, source.type, to_type};
    if (scaled) p.scales = {device.upload(scales), 3, 40};
    run_kernel(device, find_variant(MOEBIUS_PACK, 0), &p);
    auto packed = device.download(p.to, size);
    for (int row = 0; row < ceil_div(n, kStrip) * kStrip; row++)
        for (int column = 0; column < blocks * across; column++) {
            std::size_t at = unit_offset(0, row / kStrip, column / across, 0, blocks) + swizzled(row % kStrip, column % across * bytes);
            bool inside = row < n && column < k;
            int actual = bytes == 1 ? packed[at] : packed[at] | packed[at + 1] << 8, code = inside ? from[row * pitch + column] : 0;
            float value = inside ? float(values[row * pitch + column]) * (scaled ? scales[row / 3 * ceil_div(k, 40) + column / 40] : 1) : 0;
            check(actual == (bytes == 1 ? code : encode_bf16(value)), "element " + std::to_string(row) + ", " + std::to_string(column) + " of type " + std::to_string(source.type));
        }
}

}  // namespace

TEST(packs_e4m3_and_bf16_as_they_are) {
    run(device, {MOEBIUS_CUDA_E4M3, 1}, MOEBIUS_CUDA_E4M3, false);
    run(device, {MOEBIUS_CUDA_BF16, 2}, MOEBIUS_CUDA_BF16, false);
}
TEST(packs_other_types_and_fine_scales_as_bf16) {
    run(device, {MOEBIUS_CUDA_F32, 4}, MOEBIUS_CUDA_BF16, false);
    run(device, {MOEBIUS_CUDA_F16, 2}, MOEBIUS_CUDA_BF16, false);
    run(device, {MOEBIUS_CUDA_E4M3, 1}, MOEBIUS_CUDA_BF16, true);
    run(device, {MOEBIUS_CUDA_INT4, 1}, MOEBIUS_CUDA_BF16, true);
}
