package io.moebius.backend.cuda;

import java.util.List;

/** Whether the copy engine brings what a tensor map says: a tile over the lower right corner of a matrix, and zeros for what lies outside. */
final class TensorMapCheck {

    private static final int ROWS = 40;
    private static final int COLUMNS = 208;
    private static final int FIRST_ROW = 30;
    private static final int FIRST_COLUMN = 168;

    private final Driver driver;
    private final byte[] fatbin;
    private final long stream;

    TensorMapCheck(Driver driver, byte[] fatbin, long stream) {
        this.driver = driver;
        this.fatbin = fatbin;
        this.stream = stream;
    }

    DriverCheck.Finding run() {
        if (!Launcher.fromHopperOn(driver.device())) {
            int capability = driver.device().computeCapability();
            return new DriverCheck.Finding("tensor map", true, "none: the kernels for compute capability %d.%d do without the copy engine".formatted(
                    capability / 10, capability % 10));
        }
        KernelTable.Entry kernel = KernelTable.read().only(KernelTable.Family.FETCH);
        int bytes = kernel.tileRows() * kernel.tileTokens();
        Driver.Pinned matrix = driver.pin(ROWS * COLUMNS);
        Driver.Pinned tile = driver.pin(bytes);
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            matrix.bytes().put(i, element(i / COLUMNS, i % COLUMNS));
        }
        long from = driver.allocate(ROWS * COLUMNS);
        long to = driver.allocate(bytes);
        try (CudaKernels.Fetch structure = new CudaKernels.Fetch()) {
            driver.encodeTensorMap(structure, from, ROWS, COLUMNS, kernel.tileRows(), kernel.tileTokens());
            structure.to(to);
            structure.row(FIRST_ROW);
            structure.column(FIRST_COLUMN);
            structure.bytes(bytes);
            driver.upload(from, matrix, ROWS * COLUMNS, stream);
            new Launcher(driver, fatbin, stream).launch(kernel, structure, "the check");
            driver.download(tile, to, bytes, stream);
            driver.synchronize(stream);
            boolean right = isExpected(tile, kernel);
            return new DriverCheck.Finding("tensor map", right, "%s brings %s, %d x %d bytes over the edge of a matrix".formatted(
                    kernel.kernel(), right ? "the tile" : "something else than the tile", kernel.tileRows(), kernel.tileTokens()));
        } finally {
            driver.free(from);
            driver.free(to);
            List.of(matrix, tile).forEach(driver::unpin);
        }
    }

    private static boolean isExpected(Driver.Pinned tile, KernelTable.Entry kernel) {
        for (int row = 0; row < kernel.tileRows(); row++) {
            for (int column = 0; column < kernel.tileTokens(); column++) {
                if (tile.bytes().get(row * kernel.tileTokens() + column) != element(FIRST_ROW + row, FIRST_COLUMN + column)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Never 0 inside of the matrix. */
    private static byte element(int row, int column) {
        return row < ROWS && column < COLUMNS ? (byte) (1 + (31 * row + column) % 255) : 0;
    }
}
