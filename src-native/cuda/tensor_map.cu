/* to = the tile of a matrix of bytes that a tensor map and the place of its first element name; zeros outside of the matrix. One copy of
   the copy engine (TMA), then a block's threads store what has come. For the check of the way to the device: no other kernel needs a map.
   Layout: moebius_cuda.h. Bound: latency. Measured fraction: none; compiled, run in emulation, not run on a GPU. */
#include <moebius_cuda.h>
#include <ptx.h>

extern "C" __global__ void __launch_bounds__(128) moebius_fetch_tile(const __grid_constant__ moebius_fetch p) {
#if MOEBIUS_TMA
    MOEBIUS_DYNAMIC_SHARED(shared);
    std::uint32_t tile = shared_address(shared), arrived = tile + p.bytes;
    pdl_wait();
    pdl_launch_dependents();
    if (threadIdx.x == 0) {
        mbarrier_init(arrived, 1);
        mbarrier_init_fence();
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        mbarrier_arrive_expect(arrived, p.bytes);
        copy_tensor(tile, p.map, p.column, p.row, arrived);
    }
    mbarrier_wait(arrived, 0);
    for (int i = threadIdx.x; i < p.bytes; i += 128) p.to[i] = shared[i];
#endif
}
