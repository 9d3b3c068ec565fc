package io.moebius.backend.cuda;

import io.moebius.backend.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/**
 * The CUDA driver of a machine without a GPU (src-native/cuda/test/driver): the kernels run in emulation, and enqueued work is done only
 * when somebody waits for it. One for the whole process.
 */
public final class EmulatedDriver {

    private static final Path LIBRARIES = Path.of("target/cuda/driver").toAbsolutePath();
    /** What the emulation takes for a module: nothing but the first word of a fatbin. */
    static final byte[] FATBIN = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putInt(0xba55ed50).array();

    private static final SymbolLookup LIBRARY = load();

    private EmulatedDriver() {}

    /** The presets' library finds both by their names from now on. */
    private static SymbolLookup load() {
        System.load(LIBRARIES.resolve("libcuda.so.1").toString());
        System.load(LIBRARIES.resolve("libcudart.so.13").toString());
        return SymbolLookup.loaderLookup();
    }

    static LibraryDriver open() {
        return new LibraryDriver(0);
    }

    public static CudaBackend backend(Activations activations) {
        return new CudaBackend(activations, open(), FATBIN, "emulated");
    }

    /** The {@code call}-th call of a function from now on returns {@code result}; from 700 to 719 the device is lost then. */
    public static void orderFailure(String function, int call, int result) {
        try (Arena arena = Arena.ofConfined()) {
            handle("moebius_order_failure", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS))
                    .invoke(arena.allocateFrom(function + ":" + call + ":" + result));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** A lost device can be used again. */
    public static void mend() {
        try {
            handle("moebius_mend", FunctionDescriptor.ofVoid()).invoke();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** How often a function has been called. */
    public static int calls(String function) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) handle("moebius_count_calls", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS))
                    .invoke(arena.allocateFrom(function));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static MethodHandle handle(String function, FunctionDescriptor descriptor) {
        MemorySegment symbol = LIBRARY.find(function).orElseThrow();
        return Linker.nativeLinker().downcallHandle(symbol, descriptor);
    }
}
