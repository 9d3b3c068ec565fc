package io.moebius.backend;

import java.util.List;
import java.util.Optional;

/** A backend whose kernels can be run in more than one way. */
public interface Tunable {

    /** What the kernels were built from; times measured with another build say nothing. */
    String build();

    /** Model of the processor or GPU. */
    String device();

    /** Processors or streaming multiprocessors in use. */
    int cores();

    /** Major version of the driver; 0 where there is none. */
    default int driver() {
        return 0;
    }

    /** What the device can do at most, measured now; empty where it is not known. */
    Optional<Roofline> roofline();

    /** What runs a call of {@code tokens} rows where nothing else is chosen. */
    Variant defaultVariant(Site site, int tokens);

    /** The valid ones for calls of {@code tokens} rows, the default first; none of a site that no call has had. */
    List<Variant> variants(Site site, int tokens);

    /** Ways to choose the sizes that decode steps are recorded in, the default first; none where steps are not recorded. */
    default List<Variant> recordedSizes() {
        return List.of();
    }

    /** Steps of a kind that still run unlike all later ones after {@link #dispatch}: where steps are recorded and repeated. */
    default int warmUpSteps() {
        return 0;
    }

    /** From now on {@code dispatch} runs the calls; until then each runs in its site's default. */
    void dispatch(Dispatch dispatch);
}
