package io.moebius.model;

import io.moebius.backend.Activations;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/**
 * Loads of one model by one process, again and again, so that memory which the process has just given back is there: until it can be
 * used, and until all is repacked.
 * ./mvnw test -Dtest=LoadComparison -Dmoebius.load.model=FOLDER -Dsurefire.useFile=false.
 */
class LoadComparison {

    private static final int LOADS = 5;

    @Test
    void printsTheRateOfEachLoad() throws IOException {
        Path folder = Path.of(System.getProperty("moebius.load.model"));
        long bytes;
        try (var files = Files.list(folder)) {
            bytes = files.filter(f -> f.toString().endsWith(".safetensors")).mapToLong(f -> f.toFile().length()).sum();
        }
        for (int load = 1; load <= LOADS; load++) {
            long begin = System.nanoTime();
            try (CpuBackend backend = new CpuBackend(Activations.SIXTEEN_BIT)) {
                Transformer.load(Checkpoint.open(folder), backend, 32, 32, loaded -> {});
                double loaded = System.nanoTime() - begin;
                backend.settle();
                System.out.printf(Locale.ROOT, "load %d: %.2f GB/s, repacked at %.2f GB/s%n", load, bytes / loaded, bytes / (double) (System.nanoTime() - begin));
            }
        }
    }
}
