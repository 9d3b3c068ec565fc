/* Copies from global to shared memory (cp.async, bulk copies of the copy engine) and the order of dependent grids. */
#pragma once

__device__ __forceinline__ std::uint32_t shared_address(const void *p) {
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

/* Waits until the grid before this one is complete and its memory visible (programmatic dependent launch). */
__device__ __forceinline__ void pdl_wait() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/* Lets the next grid start; it still waits for this one by pdl_wait. */
__device__ __forceinline__ void pdl_launch_dependents() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

/* 16 bytes, or 16 zero bytes if not valid. */
__device__ __forceinline__ void copy_async_16(std::uint32_t to, const void *from, bool valid) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(valid ? 16 : 0) : "memory");
}
__device__ __forceinline__ void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int N> __device__ __forceinline__ void copy_async_wait() {
    asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

/* Makes this thread's ordinary writes to shared memory visible to wgmma and the copy engine. */
__device__ __forceinline__ void proxy_fence() {
#if __CUDA_ARCH__ >= 900
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

#if MOEBIUS_HOPPER
__device__ __forceinline__ std::uint64_t evict_first_policy() {
    std::uint64_t policy;
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    return policy;
}
/* bytes, from and to are multiples of 16; the barrier's transaction count falls by bytes when they are there. */
__device__ __forceinline__ void copy_bulk(std::uint32_t to, const void *from, std::uint32_t bytes, std::uint32_t barrier,
                                          std::uint64_t policy) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, [%3], %4;" ::"r"(to),
                 "l"(from), "r"(bytes), "r"(barrier), "l"(policy)
                 : "memory");
}
__device__ __forceinline__ void prefetch_bulk(const void *from, std::uint32_t bytes) {
    asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(from), "r"(bytes) : "memory");
}
#endif

#if MOEBIUS_TMA
/* The box of a two-dimensional tensor map from element (column, row) on. map: in a kernel's parameters; to: a multiple of 128. */
__device__ __forceinline__ void copy_tensor(std::uint32_t to, const void *map, int column, int row, std::uint32_t barrier) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(to), "l"(map),
                 "r"(column), "r"(row), "r"(barrier)
                 : "memory");
}
#endif

__device__ __forceinline__ void named_barrier(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
/* Counts towards a named barrier without waiting for it. */
__device__ __forceinline__ void named_arrive(int id, int threads) {
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
