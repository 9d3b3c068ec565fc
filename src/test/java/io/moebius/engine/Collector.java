package io.moebius.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Keeps a sequence's output and lets a test wait for its end. */
final class Collector implements SequenceListener {

    private final List<Integer> tokens = new ArrayList<>();
    private final CompletableFuture<FinishReason> end = new CompletableFuture<>();

    @Override
    public synchronized void token(GeneratedToken token) {
        tokens.add(token.id());
    }

    @Override
    public void finished(FinishReason reason) {
        end.complete(reason);
    }

    @Override
    public void failed(RuntimeException cause) {
        end.completeExceptionally(cause);
    }

    synchronized List<Integer> tokens() {
        return List.copyOf(tokens);
    }

    boolean hasEnded() {
        return end.isDone();
    }

    FinishReason reason() {
        return end.orTimeout(30, TimeUnit.SECONDS).join();
    }

    Throwable failure() {
        return end.orTimeout(30, TimeUnit.SECONDS).handle((reason, failure) -> failure).join();
    }

    List<Integer> awaitTokens() {
        reason();
        return tokens();
    }
}
