package io.moebius.backend;

import java.util.List;

/** A backend whose kernels can be run in more than one way. */
public interface Tunable {

    /** What the kernels were built from; times measured with another build say nothing. */
    String build();

    /** Model of the processor or GPU. */
    String device();

    /** Processors or streaming multiprocessors in use. */
    int cores();

    /** The valid ones, the default first. */
    List<Variant> variants(Site site);

    /** From now on {@code dispatch} runs the calls; until then each runs in its site's default. */
    void dispatch(Dispatch dispatch);
}
