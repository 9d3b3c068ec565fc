/* code = e4m3(y / scale), y given by a function of the column; scale given, or min(amax, bound) / 448 of a group of columns (1 if amax is 0).
   A block of 256 threads does one row. */
#pragma once
#include "layout.h"
#include "reduce.h"

constexpr int kQuantizeWarps = 8;

__device__ __forceinline__ float group_scale(float largest, float bound) { return largest > 0 ? fminf(largest, bound) / 448.0f : 1; }

template <class Y>
__device__ void quantize_row(Y y, int columns, int group, float bound, std::int64_t pitch, std::uint8_t *codes, float *scales, float *desk) {
    int thread = threadIdx.x, lane = thread % 32;
    if (group == 0 || group >= columns) {
        float scale = group == 0 ? scales[0] : 0;
        if (group > 0) {
            float largest = 0;
            for (int c = thread; c < columns; c += kQuantizeWarps * 32) largest = fmaxf(largest, fabsf(y(c)));
            largest = block_max<kQuantizeWarps>(largest, desk);
            scale = group_scale(largest, bound);
            if (thread == 0) scales[0] = scale;
        }
        for (int c = thread; c < columns; c += kQuantizeWarps * 32) codes[c] = to_e4m3_bits(y(c) / scale);
    } else {
        for (int g = thread / 32; g * group < columns; g += kQuantizeWarps) {
            int end = (g + 1) * group < columns ? (g + 1) * group : columns;
            float largest = 0;
            for (int c = g * group + lane; c < end; c += 32) largest = fmaxf(largest, fabsf(y(c)));
            largest = warp_max(largest);
            float scale = group_scale(largest, bound);
            if (lane == 0) scales[g] = scale;
            for (int c = g * group + lane; c < end; c += 32) codes[c] = to_e4m3_bits(y(c) / scale);
        }
    }
    for (int c = columns + thread; c < pitch; c += kQuantizeWarps * 32) codes[c] = 0;
}
