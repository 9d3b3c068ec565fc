package io.moebius.engine;

/**
 * Receives a sequence's output on the engine's thread: must return at once and not throw. Exactly one last call, none
 * after a cancellation; a listener that throws has its sequence cancelled.
 */
public interface SequenceListener {

    void token(GeneratedToken token);

    /** The last call of a sequence that ended by itself. */
    void finished(FinishReason reason);

    /** The last call of a sequence that could not go on, {@link NotANumberException} among others. */
    void failed(RuntimeException cause);
}
