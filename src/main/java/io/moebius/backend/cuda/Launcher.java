package io.moebius.backend.cuda;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.Pointer;

/** Enqueues kernels of one fatbin on one stream. */
final class Launcher {

    /** All others wait for the kernel before them themselves, once they have started. */
    private static final Set<KernelTable.Family> NOT_WAITING = Set.of(
            KernelTable.Family.PACK, KernelTable.Family.READ_YARDSTICK, KernelTable.Family.E4M3_YARDSTICK, KernelTable.Family.BF16_YARDSTICK);
    /** Major compute capabilities whose image in the fatbin has the wait: the others get what is compiled for 8.9, which has none. */
    private static final Set<Integer> IMAGES_THAT_WAIT = Set.of(9, 10, 12);

    private final Driver driver;
    private final long module;
    private final long stream;
    private final int multiprocessors;
    private final boolean waiting;
    private final Map<String, Long> functions = new HashMap<>();

    Launcher(Driver driver, byte[] fatbin, long stream) {
        this.driver = driver;
        this.stream = stream;
        this.multiprocessors = driver.device().multiprocessors();
        this.waiting = IMAGES_THAT_WAIT.contains(driver.device().computeCapability() / 10);
        this.module = driver.module(fatbin);
    }

    void launch(KernelTable.Entry kernel, Pointer structure, String site) {
        launch(kernel, structure, site, stream);
    }

    /** On another stream than that of the steps. */
    void launch(KernelTable.Entry kernel, Pointer structure, String site, long on) {
        long function = functions.computeIfAbsent(kernel.kernel(), name -> prepare(name, kernel.sharedBytes()));
        boolean overlapped = waiting && !NOT_WAITING.contains(kernel.family());
        driver.launch(
                kernel.kernel() + ", " + site, function, kernel.grid(structure, multiprocessors), kernel.threads(), kernel.sharedBytes(),
                structure, overlapped, on);
    }

    private long prepare(String name, int sharedBytes) {
        long function = driver.function(module, name);
        if (sharedBytes > 0) {
            driver.allowShared(function, sharedBytes);
        }
        return function;
    }
}
