package io.moebius.api;

import io.moebius.engine.FinishReason;
import io.moebius.engine.GeneratedToken;
import io.moebius.engine.NotANumberException;
import io.moebius.engine.Prompt;
import io.moebius.engine.QueueFullException;
import io.moebius.engine.SequenceListener;
import io.moebius.engine.Ticket;
import io.moebius.observe.Metrics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A request's sequences at work: the engine's thread only enqueues, the request's thread reads. */
final class Generation implements AutoCloseable {

    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final List<Ticket> tickets = new ArrayList<>();
    private final List<Choice> choices = new ArrayList<>();
    private final Metrics metrics;
    private final Duration timeout;
    private final long start = System.nanoTime();
    private final int requested;
    private int open;

    private Generation(Metrics metrics, Duration timeout, int requested) {
        this.requested = requested;
        this.metrics = metrics;
        this.timeout = timeout;
    }

    /** Submits every choice, or none where the engine refuses one. */
    static Generation start(GenerationPlan plan, Metrics metrics) {
        Generation generation = new Generation(metrics, plan.model().timeout(), plan.choices().size());
        metrics.requested(plan.choices().size());
        try {
            for (Prompt prompt : plan.choices()) {
                generation.submit(plan, prompt);
            }
            return generation;
        } catch (QueueFullException e) {
            generation.close();
            metrics.rejected();
            throw ApiException.busy(e.getMessage());
        } catch (IllegalStateException e) {
            generation.close();
            metrics.rejected();
            throw ApiException.unavailable(
                    "the server takes no new requests: " + e.getMessage(), "server_is_overloaded");
        } catch (IllegalArgumentException e) {
            generation.close();
            throw ApiException.invalid(null, e.getMessage());
        }
    }

    /** The client has gone: ends the generation before its next step. May be called from any thread. */
    void gone() {
        events.add(new Event.Gone());
    }

    List<Choice> choices() {
        return choices;
    }

    boolean isOpen() {
        return open > 0;
    }

    /** Waits for the next token or end, which its choice has then taken in. */
    Choice next() throws InterruptedException, ClientGoneException {
        while (true) {
            switch (await()) {
                case Event.Gone() -> throw new ClientGoneException();
                case Event.Failed(RuntimeException cause) -> throw failure(cause);
                case Event.Token(int index, GeneratedToken token) -> {
                    Choice choice = choices.get(index);
                    if (choice.isOpen()) {
                        choice.add(token);
                        if (!choice.isOpen()) {
                            tickets.get(index).cancel();
                            open--;
                        }
                        return choice;
                    }
                }
                case Event.Finished(int index, FinishReason reason) -> {
                    Choice choice = choices.get(index);
                    if (choice.isOpen()) {
                        choice.finish(reason);
                        open--;
                        return choice;
                    }
                }
            }
        }
    }

    /** Cancels what is still running; harmless for what has ended. */
    @Override
    public void close() {
        tickets.forEach(Ticket::cancel);
        metrics.ended(requested);
    }

    private void submit(GenerationPlan plan, Prompt prompt) {
        int index = choices.size();
        choices.add(new Choice(index, prompt, plan));
        Ticket ticket = plan.model().engine().submit(prompt, new Listener(index));
        tickets.add(ticket);
        open++;
    }

    private Event await() throws InterruptedException {
        if (timeout.isZero()) {
            return events.take();
        }
        long left = timeout.toNanos() - (System.nanoTime() - start);
        Event event = events.poll(Math.max(0, left), TimeUnit.NANOSECONDS);
        if (event == null) {
            metrics.timedOut();
            throw ApiException.timeout(timeout.toMillis());
        }
        return event;
    }

    private RuntimeException failure(RuntimeException cause) {
        if (cause instanceof NotANumberException) {
            metrics.notANumber();
            return new ApiException(400, "invalid_request_error", cause.getMessage(), null, "nan_error");
        }
        return new ApiException(
                500, "server_error", "the model failed on this request: " + cause.getMessage(), null, "internal_error");
    }

    private final class Listener implements SequenceListener {

        private final int index;

        private Listener(int index) {
            this.index = index;
        }

        @Override
        public void token(GeneratedToken token) {
            events.add(new Event.Token(index, token));
        }

        @Override
        public void finished(FinishReason reason) {
            events.add(new Event.Finished(index, reason));
        }

        @Override
        public void failed(RuntimeException cause) {
            events.add(new Event.Failed(cause));
        }
    }
}
