package io.moebius.backend.cpu;

import java.util.ArrayList;
import java.util.List;

/** Everything that a backend has allocated natively, to be freed with it. */
final class NativeMemory implements AutoCloseable {

    private record Block(long address, long bytes) {}

    private final List<Block> blocks = new ArrayList<>();
    private final List<CpuMatrix> matrices = new ArrayList<>();

    /** Zeroed and page-aligned; takes no room until it is written. */
    long allocate(long bytes) {
        long size = Math.max(bytes, 1);
        long address = CpuKernels.moebius_allocate(size);
        if (address == 0) {
            throw new OutOfMemoryError("no " + size + " bytes of native memory");
        }
        blocks.add(new Block(address, size));
        return address;
    }

    CpuMatrix keep(CpuMatrix matrix) {
        matrices.add(matrix);
        return matrix;
    }

    @Override
    public void close() {
        blocks.forEach(block -> CpuKernels.moebius_free(block.address(), block.bytes()));
        matrices.forEach(matrix -> CpuKernels.moebius_matrix_free(matrix.address()));
        blocks.clear();
        matrices.clear();
    }
}
