/* What the device can do at most, measured now. */
#pragma once
#include "gpu_device.h"

struct Bounds {
    double read_bytes_per_second, copy_bytes_per_second, flops_per_second, bf16_flops_per_second;
    const char *flops_instruction;

    static Bounds measure(GpuDevice &device);
    /* The least time of so many bytes and e4m3 flops (or bf16 ones). */
    double seconds(double bytes, double flops, bool bf16) const;
    std::string json() const;
};
