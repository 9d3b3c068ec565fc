package io.moebius.backend;

/** A call of a kernel, ready to run in any variant of its site. */
public interface KernelCall {

    Site site();

    /** Rows of the step that it works on. */
    int tokens();

    /** Most tokens that a sequence of it looks back on; 0 where it looks at none. */
    default int context() {
        return 0;
    }

    /** Bytes that it reads at least; each touched weight and cache entry once. */
    double bytes();

    double flops();

    void run(Variant variant);
}
