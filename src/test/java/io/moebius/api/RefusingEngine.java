package io.moebius.api;

import io.moebius.engine.Engine;
import io.moebius.engine.Prompt;
import io.moebius.engine.SequenceListener;
import io.moebius.engine.Ticket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Takes nothing. */
record RefusingEngine(RuntimeException refusal) implements Engine {

    @Override
    public Ticket submit(Prompt prompt, SequenceListener listener) {
        throw refusal;
    }

    @Override
    public Load load() {
        return new Load(0, 0, 0, 0);
    }

    @Override
    public boolean alive() {
        return false;
    }

    @Override
    public CompletionStage<Throwable> death() {
        return new CompletableFuture<>();
    }

    @Override
    public boolean drain(Duration timeout) {
        return true;
    }

    @Override
    public void close() {}
}
