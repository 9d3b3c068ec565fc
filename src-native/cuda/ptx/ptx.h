/* What the kernels need of the machine, under names. test/emulated/ptx.h has the same functions for a machine without a GPU. */
#pragma once
#include <cstdint>

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define MOEBIUS_HOPPER 1
#else
#define MOEBIUS_HOPPER 0
#endif

/* The copy engine and its barriers: Hopper and later. */
#if __CUDA_ARCH__ >= 900
#define MOEBIUS_TMA 1
#else
#define MOEBIUS_TMA 0
#endif

#define MOEBIUS_DYNAMIC_SHARED(name) extern __shared__ __align__(1024) std::uint8_t name[]

#include "convert.h"
#include "copy.h"
#include "mbarrier.h"
#include "mma.h"
#include "wgmma.h"
