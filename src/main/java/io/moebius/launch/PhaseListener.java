package io.moebius.launch;

/** Hears how far a phase of a start is. */
@FunctionalInterface
interface PhaseListener {

    /**
     * @param fraction of the phase, 0 to 1
     * @param detail   what is being done now, for people
     */
    void progress(double fraction, String detail);
}
