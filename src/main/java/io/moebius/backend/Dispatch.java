package io.moebius.backend;

/** Runs every call of a tunable kernel, once, in the variant of its choice. */
@FunctionalInterface
public interface Dispatch {

    void run(KernelCall call);

    /** Whether it takes the time of each call, which must then have ended when {@link KernelCall#run} returns. */
    default boolean timesCalls() {
        return false;
    }
}
