package io.moebius.api;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;

/** How far the start has come; launch writes it, the endpoints read it. */
@ApplicationScoped
public class Readiness {

    private final AtomicReference<State> state = new AtomicReference<>(new Starting("starting", 0));

    private final AtomicReference<Instant> lastMoment = new AtomicReference<>(Instant.MAX);

    /** @param progress of this phase, 0 to 1 */
    public void phase(String name, double progress) {
        state.set(new Starting(name, Math.clamp(progress, 0, 1)));
    }

    /** A first token has been generated: requests are served from here on. */
    public void ready(ServedModel model) {
        state.set(new Serving(model));
    }

    /** Refuses new requests; those at work go on. */
    public void draining() {
        state.set(new Draining());
    }

    /** The start, or the device, has failed for good. */
    public void failed(String error) {
        state.set(new Failed(error));
    }

    /** From {@code moment} on new requests get 403; those at work go on. */
    public void servesUntil(Instant moment) {
        lastMoment.set(moment);
    }

    boolean expired() {
        return !Instant.now().isBefore(lastMoment.get());
    }

    State state() {
        return state.get();
    }

    /** @throws ApiException 503 while there is no model to answer */
    ServedModel model() {
        if (expired()) {
            throw new ApiException(
                    403,
                    "permission_error",
                    "the server's container secret has expired; its operator must renew it",
                    null,
                    "license_expired");
        }
        return switch (state.get()) {
            case Serving(ServedModel model) -> model;
            case Starting(String phase, double progress) -> throw ApiException.unavailable(
                    "the model is not ready: %s, %d %%; try again later".formatted(phase, Math.round(100 * progress)),
                    "model_not_ready");
            case Draining() -> throw ApiException.unavailable(
                    "the server is stopping and takes no new requests; try another one", "server_is_draining");
            case Failed(String error) -> throw ApiException.unavailable(
                    "there is no model to answer: " + error, "model_not_ready");
        };
    }

    sealed interface State {}

    record Starting(String phase, double progress) implements State {}

    record Serving(ServedModel model) implements State {}

    record Draining() implements State {}

    record Failed(String error) implements State {}
}
