package io.moebius.engine;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

final class RecordingObserver implements EngineObserver {

    final List<Integer> queued = new CopyOnWriteArrayList<>();
    final AtomicInteger firstTokens = new AtomicInteger();
    final List<String> outcomes = new CopyOnWriteArrayList<>();

    @Override
    public void queued(int promptTokens) {
        queued.add(promptTokens);
    }

    @Override
    public void firstToken(Duration queueing, Duration sinceQueued) {
        if (queueing.compareTo(sinceQueued) <= 0) {
            firstTokens.incrementAndGet();
        }
    }

    @Override
    public void left(Outcome outcome, int outputTokens, Duration sinceQueued) {
        outcomes.add(outcome + " " + outputTokens);
    }
}
