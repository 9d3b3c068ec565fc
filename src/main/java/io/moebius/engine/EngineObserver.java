package io.moebius.engine;

import java.time.Duration;

/** Hears what the engine does, on the engine's thread: must return at once and not throw. */
public interface EngineObserver {

    void queued(int promptTokens);

    /** The sequence's first token was sampled; queueing: from submit to its first step. */
    void firstToken(Duration queueing, Duration sinceQueued);

    /** The sequence left; outputTokens so far, whatever ended it. */
    void left(Outcome outcome, int outputTokens, Duration sinceQueued);

    enum Outcome {
        FINISHED,
        CANCELLED,
        FAILED
    }
}
