/* residual += delta + sum over j of w_j * expert_out[position j]; y = residual / sqrt(mean(residual^2) + epsilon) * weight
   (Zhang and Sennrich 2019), as bf16 and as e4m3 codes. One block of 256 threads per token; layout: moebius_cuda.h.
   Bound: bytes of residual, addends and outputs. Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>

#include "quantization.h"

extern "C" __global__ void __launch_bounds__(256) moebius_norm_rows(const __grid_constant__ moebius_norm p) {
    __shared__ float desk[kQuantizeWarps];
    pdl_wait();
    pdl_launch_dependents();
    int token = blockIdx.x;
    float *residual = p.residual + std::int64_t(token) * p.columns;
    const float *delta = p.delta ? p.delta + std::int64_t(token) * p.columns : nullptr;
    float squares = 0;
    for (int c = threadIdx.x; c < p.columns; c += 256) {
        float v = residual[c];
        if (delta) v = __fadd_rn(v, delta[c]);
        if (p.expert_out) {
            float sum = 0;
            for (int j = 0; j < p.top_k; j++) {
                std::int64_t row = p.positions[token * p.top_k + j];
                float term = __fmul_rn(p.expert_weights[token * p.top_k + j], from_bf16(p.expert_out[row * p.columns + c]));
                sum = j == 0 ? term : __fadd_rn(sum, term);
            }
            v = __fadd_rn(v, sum);
        }
        residual[c] = v;
        squares = __fadd_rn(squares, __fmul_rn(v, v));
    }
    float inverse = 1;
    if (p.weight) inverse = rsqrt_(block_sum<8>(squares, desk) / float(p.columns) + float(p.epsilon));
    auto y = [&](int c) {
        return p.weight ? __fmul_rn(__fmul_rn(residual[c], inverse), p.weight[c]) : residual[c];
    };
    __syncthreads();
    if (p.out16) {
        std::uint16_t *out = p.out16 + token * p.out16_pitch;
        for (int c = threadIdx.x; c < p.out16_pitch; c += 256) out[c] = c < p.columns ? to_bf16_bits(y(c)) : std::uint16_t(0);
    }
    if (p.out8) {
        float *scales = p.group == 0 ? p.out_scales : p.out_scales + std::int64_t(token) * ceil_div(p.columns, p.group);
        quantize_row(y, p.columns, p.group, p.bound, p.out8_pitch, p.out8 + token * p.out8_pitch, scales, desk);
    }
}

extern "C" __global__ void __launch_bounds__(256) moebius_quantize_rows(const __grid_constant__ moebius_quantize p) {
    __shared__ float desk[kQuantizeWarps];
    pdl_wait();
    pdl_launch_dependents();
    int row = blockIdx.x;
    if (row >= (p.row_count ? *p.row_count : p.rows)) return;
    const std::uint16_t *x = p.x + row * p.x_pitch;
    float *scales = p.group == 0 ? p.out_scales : p.out_scales + std::int64_t(row) * ceil_div(p.columns, p.group);
    quantize_row([&](int c) { return from_bf16(x[c]); }, p.columns, p.group, p.bound, p.out8_pitch, p.out8 + row * p.out8_pitch, scales, desk);
}
