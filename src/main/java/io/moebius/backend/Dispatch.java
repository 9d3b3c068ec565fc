package io.moebius.backend;

import java.util.Optional;

/** Runs every call of a tunable kernel, once, in the variant of its choice. */
@FunctionalInterface
public interface Dispatch {

    void run(KernelCall call);

    /** Whether it takes the time of each call, which must then have ended when {@link KernelCall#run} returns. */
    default boolean timesCalls() {
        return false;
    }

    /** Which of {@link Tunable#recordedSizes} decode steps are filled up to; empty: the default. */
    default Optional<Variant> recordedSizes() {
        return Optional.empty();
    }
}
