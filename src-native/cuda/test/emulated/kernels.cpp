/* Every kernel file compiled as C++. */
#include "kernels.h"

#include <ptx.h>

#include <map>
#include <string>

#include "../../fp8_gemm_general.cu"
#include "../../fp8_gemm_skinny.cu"
#include "../../fp8_gemm_wide.cu"
#include "../../gemm16.cu"
#include "../../pack.cu"
#include "../../router.cu"
#include "../../norm.cu"
#include "../../rope_kv.cu"
#include "../../embedding.cu"
#include "../../attention_decode.cu"
#include "../../attention_general.cu"
#include "../../attention_hopper.cu"
#include "../../attention_prefill.cu"
#include "../../sampling.cu"
#include "../../tensor_map.cu"
#include "../../yardsticks.cu"
#include "../gpu/helpers.cu"

namespace {

struct Kernel {
    std::function<void(const void *)> body;
    std::size_t parameter_bytes;
};
template <class P> Kernel bind(void (*kernel)(P)) {
    return {[kernel](const void *parameters) { kernel(*static_cast<const P *>(parameters)); }, sizeof(P)};
}
#define K(name) {#name, bind(name)}

const std::map<std::string, Kernel> &kernels() {
    static const std::map<std::string, Kernel> all = {
        K(moebius_fp8_general_16), K(moebius_fp8_general_64), K(moebius_fp8_general_16_swiglu), K(moebius_fp8_general_32_swiglu),
        K(moebius_fp8_skinny_8), K(moebius_fp8_skinny_16), K(moebius_fp8_skinny_32), K(moebius_fp8_skinny_64),
        K(moebius_fp8_skinny_8_spread), K(moebius_fp8_skinny_16_spread), K(moebius_fp8_skinny_32_spread), K(moebius_fp8_skinny_64_spread),
        K(moebius_fp8_skinny_8_swiglu), K(moebius_fp8_skinny_16_swiglu), K(moebius_fp8_skinny_32_swiglu), K(moebius_fp8_skinny_64_swiglu),
        K(moebius_fp8_wide_64), K(moebius_fp8_wide_128), K(moebius_fp8_wide_64_swiglu), K(moebius_fp8_wide_128_swiglu),
        K(moebius_bf16_16), K(moebius_bf16_64), K(moebius_bf16_16_swiglu), K(moebius_bf16_32_swiglu),
        K(moebius_w8a16_16), K(moebius_w8a16_64), K(moebius_w8a16_16_swiglu), K(moebius_w8a16_32_swiglu),
        K(moebius_pack_weights), K(moebius_route_tokens), K(moebius_permute_tokens), K(moebius_norm_rows), K(moebius_quantize_rows),
        K(moebius_turn_angles), K(moebius_rope_store), K(moebius_embed_tokens),
        K(moebius_decode_16_bf16), K(moebius_decode_64_bf16), K(moebius_decode_128_bf16), K(moebius_decode_256_bf16),
        K(moebius_decode_16_e4m3), K(moebius_decode_64_e4m3), K(moebius_decode_128_e4m3), K(moebius_decode_256_e4m3),
        K(moebius_merge_splits), K(moebius_attend_general), K(moebius_fetch_tile),
        K(moebius_prefill_16_bf16), K(moebius_prefill_64_bf16), K(moebius_prefill_128_bf16), K(moebius_prefill_256_bf16),
        K(moebius_prefill_16_e4m3), K(moebius_prefill_64_e4m3), K(moebius_prefill_128_e4m3), K(moebius_prefill_256_e4m3),
        K(moebius_hopper_decode_64_bf16), K(moebius_hopper_decode_128_bf16), K(moebius_hopper_decode_64_e4m3), K(moebius_hopper_decode_128_e4m3),
        K(moebius_hopper_prefill_64_bf16), K(moebius_hopper_prefill_128_bf16), K(moebius_hopper_prefill_64_e4m3), K(moebius_hopper_prefill_128_e4m3),
        K(moebius_sample_rows),
        K(moebius_read_bytes), K(moebius_multiply_wgmma), K(moebius_multiply_wgmma_bf16), K(moebius_multiply_e4m3), K(moebius_multiply_bf16),
        K(helper_fill_values), K(helper_copy_bytes)};
    return all;
}

}  // namespace

std::size_t emu::parameter_bytes(const char *name) {
    auto found = kernels().find(name);
    return found == kernels().end() ? 0 : found->second.parameter_bytes;
}

void emu::run_kernel(const char *name, const int (&grid)[3], int threads, int shared_bytes, const void *parameters) {
    const std::function<void(const void *)> &body = kernels().at(name).body;
    if (shared_bytes > kSharedBytes) { std::fprintf(stderr, "emulator: %s: too much shared memory\n", name); std::abort(); }
    block().shared_limit = shared_bytes;
    launch({grid[0], grid[1], grid[2]}, threads, [&] { body(parameters); });
}

void emu::precede(std::function<void()> work) { block().predecessor = std::move(work); }
