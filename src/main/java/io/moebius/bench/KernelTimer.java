package io.moebius.bench;

import io.moebius.backend.Roofline;
import java.util.Optional;
import java.util.function.IntConsumer;

/** Takes the best time of many calls of a kernel, and holds it against the bound of what the calls need. */
final class KernelTimer {

    private static final long NANOS = 600_000_000L;
    private static final int CALLS = 400;

    private final MeteredBackend backend;
    private final Optional<Roofline> roofline;

    KernelTimer(MeteredBackend backend) {
        this.backend = backend;
        this.roofline = backend.roofline();
    }

    /** Of a kernel that reads weights or a KV cache: the backend knows what a call needs. */
    KernelBench.Result time(String kernel, String size, int tokens, IntConsumer call) {
        return time(kernel, size, tokens, 0, call);
    }

    /**
     * @param activations bytes that a call reads and writes besides weights and the KV cache
     * @param call        the kernel, on operands that differ from call to call
     */
    KernelBench.Result time(String kernel, String size, int tokens, double activations, IntConsumer call) {
        call.accept(0);
        long best = Long.MAX_VALUE;
        Work work = null;
        long begin = System.nanoTime();
        for (int i = 1; i < 3 || i < CALLS && System.nanoTime() - begin < NANOS; i++) {
            Work before = backend.total();
            long start = System.nanoTime();
            call.accept(i);
            best = Math.min(best, System.nanoTime() - start);
            work = backend.total().minus(before).plus(activations, 0);
        }
        double seconds = best / 1e9;
        Work done = work;
        return new KernelBench.Result(
                kernel, size, tokens, seconds * 1e6, done.bytes() / seconds / 1e9, done.flops() / seconds / 1e9,
                roofline.map(r -> r.seconds(done.bytes(), done.flops()) / seconds).orElse(null));
    }
}
