package io.moebius.api;

import io.moebius.engine.FinishReason;
import io.moebius.engine.GeneratedToken;

/** What the thread of a request waits for. */
sealed interface Event {

    record Token(int choice, GeneratedToken token) implements Event {}

    record Finished(int choice, FinishReason reason) implements Event {}

    record Failed(RuntimeException cause) implements Event {}

    /** The client has closed its connection. */
    record Gone() implements Event {}
}
