package io.moebius.backend;

/** Runs every call of a tunable kernel, once, in the variant of its choice. */
@FunctionalInterface
public interface Dispatch {

    void run(KernelCall call);
}
