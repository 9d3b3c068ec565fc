package io.moebius.engine;

/** A submitted sequence. */
public interface Ticket {

    /**
     * Ends the sequence before the next step and frees its cache blocks; its listener is not called again, but for a
     * call already on its way. May be called from the listener.
     */
    void cancel();
}
