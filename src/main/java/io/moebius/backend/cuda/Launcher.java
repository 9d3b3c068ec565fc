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
    /** Major compute capabilities with an image of their own that waits and has tensor maps: the others get what is compiled for 8.9. */
    private static final Set<Integer> IMAGES_FROM_HOPPER_ON = Set.of(9, 10, 12);

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
        this.waiting = fromHopperOn(driver.device());
        this.module = driver.module(fatbin);
    }

    /** Whether the device's kernels have what came with Hopper. */
    static boolean fromHopperOn(Driver.Device device) {
        return IMAGES_FROM_HOPPER_ON.contains(device.computeCapability() / 10);
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
