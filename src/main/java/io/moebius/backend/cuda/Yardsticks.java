package io.moebius.backend.cuda;

import io.moebius.backend.Activations;
import io.moebius.backend.Roofline;
import io.moebius.backend.cuda.KernelTable.Entry;
import io.moebius.backend.cuda.KernelTable.Family;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/** Measures what the device does at most: kernels that only read, and kernels that only multiply, long enough that a launch counts for nothing. */
final class Yardsticks {

    private static final int LAUNCHES = 8;
    private static final int RUNS = 7;
    private static final double LEAST_SECONDS = 0.005;
    private static final long FIRST_BYTES = 1 << 16;
    private static final long MOST_BYTES = 4L << 30;
    private static final int HOPPER = 90;

    private final Driver driver;
    private final Launcher launcher;
    private final KernelTable table;
    private final long stream;

    Yardsticks(Driver driver, Launcher launcher, KernelTable table, long stream) {
        this.driver = driver;
        this.launcher = launcher;
        this.table = table;
        this.stream = stream;
    }

    /**
     * @param activations 8-bit: the peak is that of e4m3 products; 16-bit: of bf16 ones
     * @return empty where too little memory is free to read from it for so long
     */
    Optional<Roofline> roofline(Activations activations) {
        Entry multiply = products(activations == Activations.EIGHT_BIT ? Family.E4M3_YARDSTICK : Family.BF16_YARDSTICK);
        OptionalDouble read = readBytesPerSecond();
        return read.isPresent()
                ? Optional.of(new Roofline(read.getAsDouble(), flopsPerSecond(multiply), multiply.recipe()))
                : Optional.empty();
    }

    private Entry products(Family family) {
        boolean hopper = driver.device().computeCapability() == HOPPER;
        return table.of(family).stream().filter(entry -> entry.hopper() == hopper).findFirst().orElseThrow();
    }

    private OptionalDouble readBytesPerSecond() {
        for (long bytes = FIRST_BYTES; 2 * bytes <= driver.freeBytes(); bytes *= 2) {
            long memory = driver.allocate(bytes);
            try {
                driver.zero(memory, bytes, stream);
                double seconds = seconds(table.only(Family.READ_YARDSTICK), memory, bytes / 16);
                if (seconds >= LEAST_SECONDS || bytes == MOST_BYTES) {
                    return OptionalDouble.of(LAUNCHES * bytes / seconds);
                }
            } finally {
                driver.free(memory);
            }
        }
        return OptionalDouble.empty();
    }

    private double flopsPerSecond(Entry multiply) {
        long sums = driver.allocate(Float.BYTES);
        try {
            for (long rounds = 1; ; rounds *= 2) {
                double seconds = seconds(multiply, sums, rounds);
                if (seconds >= LEAST_SECONDS) {
                    return LAUNCHES * rounds * multiply.flopsOfRound() * blocks(multiply) / seconds;
                }
            }
        } finally {
            driver.free(sums);
        }
    }

    private int blocks(Entry kernel) {
        try (CudaKernels.Yardstick any = new CudaKernels.Yardstick()) {
            return kernel.grid(any, driver.device().multiprocessors())[0];
        }
    }

    /** The median of some runs of {@link #LAUNCHES} launches each. */
    private double seconds(Entry kernel, long memory, long count) {
        try (CudaKernels.Yardstick parameters = new CudaKernels.Yardstick()) {
            parameters.from(memory);
            parameters.to(memory);
            parameters.count(count);
            run(kernel, parameters);
            return DoubleStream.generate(() -> run(kernel, parameters)).limit(RUNS).sorted().toArray()[RUNS / 2];
        }
    }

    private double run(Entry kernel, CudaKernels.Yardstick parameters) {
        driver.synchronize(stream);
        long start = System.nanoTime();
        for (int i = 0; i < LAUNCHES; i++) {
            launcher.launch(kernel, parameters, "a yardstick");
        }
        driver.synchronize(stream);
        return (System.nanoTime() - start) / 1e9;
    }
}
