package io.moebius.backend.cuda;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * Whether the way from Java to the kernels works on a machine: the driver takes the fatbin, a kernel computes what it should, does so
 * again from a recorded graph with other inputs, the copy engine follows a tensor map, and an error comes back as an exception that
 * leaves the device in order.
 */
public final class DriverCheck {

    private static final int ROWS = 4;
    private static final int COLUMNS = 256;
    private static final int COPY_BYTES = 64 << 20;
    private static final int COPIES = 8;
    private static final int TOO_MANY_THREADS = 2048;

    private final Driver driver;
    private final byte[] fatbin;
    private final long stream;

    /** @param passed false: {@code found} says what was there instead */
    public record Finding(String what, boolean passed, String found) {}

    /** @param driver of the device; stays open */
    public DriverCheck(LibraryDriver driver, byte[] fatbin) {
        this((Driver) driver, fatbin);
    }

    DriverCheck(Driver driver, byte[] fatbin) {
        this.driver = driver;
        this.fatbin = fatbin;
        this.stream = driver.stream();
    }

    /** All that can be found: a step that fails does not end the others. */
    public List<Finding> run() {
        List<Finding> findings = new ArrayList<>();
        Driver.Device device = driver.device();
        findings.add(new Finding("device", true, String.format(
                Locale.ROOT, "%s, compute capability %d.%d, %d multiprocessors, %.1f GB, driver for CUDA %d.%d",
                device.name(), device.computeCapability() / 10, device.computeCapability() % 10, device.multiprocessors(),
                device.memoryBytes() / 1e9, device.driverVersion() / 1000, device.driverVersion() % 1000 / 10)));
        findings.add(found("kernels", this::kernels));
        findings.add(found("tensor map", new TensorMapCheck(driver, fatbin, stream)::run));
        findings.add(found("error", this::provokedError));
        findings.add(found("copies", this::copies));
        return findings;
    }

    private static Finding found(String what, Supplier<Finding> step) {
        try {
            return step.get();
        } catch (RuntimeException e) {
            return new Finding(what, false, e.getMessage());
        }
    }

    /** out[t] = table[tokens[t]], recorded once and run twice; row r of the table is r. */
    private Finding kernels() {
        KernelTable.Entry embed = KernelTable.read().only(KernelTable.Family.EMBED);
        Driver.Pinned table = driver.pin(2 * ROWS * COLUMNS);
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            table.bytes().putShort(2 * i, (short) (Float.floatToIntBits(i / COLUMNS) >> 16));
        }
        Driver.Pinned tokens = driver.pin(4 * ROWS);
        Driver.Pinned out = driver.pin(4 * ROWS * COLUMNS);
        long deviceTable = driver.allocate(2L * ROWS * COLUMNS);
        long deviceTokens = driver.allocate(4L * ROWS);
        long deviceOut = driver.allocate(4L * ROWS * COLUMNS);
        driver.upload(deviceTable, table, 2 * ROWS * COLUMNS, stream);
        driver.synchronize(stream);
        try (CudaKernels.Embed structure = new CudaKernels.Embed()) {
            structure.table(deviceTable);
            structure.tokens(deviceTokens);
            structure.drawn(0);
            structure.out(deviceOut);
            structure.count(ROWS);
            structure.columns(COLUMNS);
            Launcher launcher = new Launcher(driver, fatbin, stream);
            driver.beginCapture(stream);
            driver.upload(deviceTokens, tokens, 4 * ROWS, stream);
            launcher.launch(embed, structure, "the check");
            driver.download(out, deviceOut, 4 * ROWS * COLUMNS, stream);
            long graph = driver.endCapture(stream);
            boolean first = embeds(graph, tokens, out, 0);
            boolean second = embeds(graph, tokens, out, 1);
            driver.destroyGraph(graph);
            return new Finding("kernels", first && second, first && second
                    ? "%s computes what it should, from a graph, twice".formatted(embed.kernel())
                    : "%s computes something else (first run %s, second run %s)".formatted(
                            embed.kernel(), first ? "right" : "wrong", second ? "right" : "wrong"));
        } finally {
            driver.free(deviceTable);
            driver.free(deviceTokens);
            driver.free(deviceOut);
            List.of(table, tokens, out).forEach(driver::unpin);
        }
    }

    private boolean embeds(long graph, Driver.Pinned tokens, Driver.Pinned out, int shift) {
        for (int t = 0; t < ROWS; t++) {
            tokens.bytes().putInt(4 * t, (t + shift) % ROWS);
        }
        driver.launchGraph(graph, stream);
        driver.synchronize(stream);
        var numbers = out.bytes().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            if (numbers.get(i) != (i / COLUMNS + shift) % ROWS) {
                return false;
            }
        }
        return true;
    }

    private Finding provokedError() {
        long function = driver.function(driver.module(fatbin), KernelTable.read().only(KernelTable.Family.EMBED).kernel());
        try (CudaKernels.Embed structure = new CudaKernels.Embed()) {
            driver.launch("a launch that is wrong on purpose", function, new int[] {1, 1, 1}, TOO_MANY_THREADS, 0, structure, false, stream);
            return new Finding("error", false, "a launch of %d threads was taken".formatted(TOO_MANY_THREADS));
        } catch (CudaException refused) {
            driver.synchronize(stream);
            return new Finding("error", true, "reported as \"%s\", and the device goes on".formatted(refused.getMessage()));
        }
    }

    private Finding copies() {
        Driver.Pinned memory = driver.pin(COPY_BYTES);
        long device = driver.allocate(COPY_BYTES);
        try {
            double up = gigabytesPerSecond(() -> driver.upload(device, memory, COPY_BYTES, stream));
            double down = gigabytesPerSecond(() -> driver.download(memory, device, COPY_BYTES, stream));
            return new Finding("copies", true, String.format(Locale.ROOT, "%.1f GB/s to the device, %.1f GB/s back, page-locked", up, down));
        } finally {
            driver.free(device);
            driver.unpin(memory);
        }
    }

    private double gigabytesPerSecond(Runnable copy) {
        copy.run();
        driver.synchronize(stream);
        long start = System.nanoTime();
        for (int i = 0; i < COPIES; i++) {
            copy.run();
        }
        driver.synchronize(stream);
        return (double) COPY_BYTES * COPIES / (System.nanoTime() - start);
    }
}
