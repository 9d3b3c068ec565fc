/* Conversions between float, bf16 and e4m3 (round to nearest even, e4m3 saturating at 448). */
#pragma once

__device__ __forceinline__ unsigned pack_bf16(float low, float high) {
    unsigned result;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(result) : "f"(high), "f"(low));
    return result;
}
__device__ __forceinline__ std::uint16_t to_bf16_bits(float v) { return static_cast<std::uint16_t>(pack_bf16(v, 0)); }

__device__ __forceinline__ unsigned pack_e4m3(float low, float high) {
    unsigned short result;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(result) : "f"(high), "f"(low));
    return result;
}
__device__ __forceinline__ std::uint8_t to_e4m3_bits(float v) { return static_cast<std::uint8_t>(pack_e4m3(v, 0)); }

/* Exact: every e4m3 value is a half. */
__device__ __forceinline__ float2 unpack_e4m3(unsigned pair) {
    unsigned halves;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(static_cast<unsigned short>(pair)));
    float2 result;
    asm("{.reg .b16 l, h;\n mov.b32 {l, h}, %2;\n cvt.f32.f16 %0, l;\n cvt.f32.f16 %1, h;}"
        : "=f"(result.x), "=f"(result.y) : "r"(halves));
    return result;
}

__device__ __forceinline__ float from_f16(std::uint16_t v) {
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(v));
    return result;
}

/* One instruction; results below 2^-126 are 0. */
__device__ __forceinline__ float exp2_fast(float x) {
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}
__device__ __forceinline__ float exp_exact(float x) { return expf(x); }
__device__ __forceinline__ float rsqrt_(float x) { return 1.0f / sqrtf(x); }
