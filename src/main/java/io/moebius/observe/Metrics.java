package io.moebius.observe;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.moebius.engine.Engine;
import io.moebius.engine.EngineObserver;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Series by the names that Friendli Container's dashboards read; durations are in nanoseconds, as there. */
@Singleton
public final class Metrics implements EngineObserver {

    private static final double[] LENGTHS = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};
    private static final double[] RATIOS = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0};

    private final Counter requests;
    private final Counter responses;
    private final Counter items;
    private final MeterRegistry registry;
    private final AtomicLong failuresByCancel = new AtomicLong();
    private final AtomicLong failuresByTimeout = new AtomicLong();
    private final AtomicLong failuresByNan = new AtomicLong();
    private final AtomicLong failuresByReject = new AtomicLong();
    private final AtomicInteger currentRequests = new AtomicInteger();
    private final AtomicInteger currentItems = new AtomicInteger();
    private final AtomicReference<Engine> engine = new AtomicReference<>();
    private final DistributionSummary inputLengths;
    private final DistributionSummary outputLengths;
    private final DistributionSummary latencies;
    private final DistributionSummary ttft;
    private final DistributionSummary queueingDelays;

    Metrics(MeterRegistry registry, @ConfigProperty(name = "quarkus.application.version") String version) {
        this.registry = registry;
        requests = Counter.builder("friendli_requests").description("Requests taken").register(registry);
        responses = Counter.builder("friendli_responses").description("Requests answered").register(registry);
        items = Counter.builder("friendli_items").description("Sequences asked for: a request counts n").register(registry);
        // Gauges, because a counter's name would end in _total.
        gauge("friendli_failure_by_cancel", failuresByCancel::get, "Requests whose client went away");
        gauge("friendli_failure_by_timeout", failuresByTimeout::get, "Requests that took longer than --timeout-microseconds");
        gauge("friendli_failure_by_nan_error", failuresByNan::get, "Requests that met a value that is not a number");
        gauge("friendli_failure_by_reject", failuresByReject::get, "Requests refused because too much was waiting");
        gauge("friendli_current_requests", currentRequests::get, "Requests that have come and not left");
        gauge("friendli_current_items", currentItems::get, "Their sequences");
        gauge("friendli_current_assigned_items", () -> load().running(), "Sequences that run");
        gauge("friendli_current_waiting_items", () -> load().waiting(), "Sequences that wait");
        Gauge.builder("friendli_engine_version", () -> 1).tag("version", version).description("Always 1; the label is the version").register(registry);
        histogram("friendli_tcache_hit_ratio", RATIOS, "Always empty: no prefix is cached between requests");
        inputLengths = histogram("friendli_input_lengths", LENGTHS, "Tokens of a prompt");
        outputLengths = histogram("friendli_output_lengths", LENGTHS, "Tokens of an answer");
        latencies = quantiles("friendli_requests_latencies", "Nanoseconds from the queue to the last token");
        ttft = quantiles("friendli_requests_ttft", "Nanoseconds from the queue to the first token");
        queueingDelays = quantiles("friendli_requests_queueing_delays", "Nanoseconds in the queue");
    }

    /** A request with an API key: taken, limited, or refused (then {@code name} is empty). */
    public void keyUsed(String name, String outcome) {
        Counter.builder("moebius_api_key_requests").tag("key", name).tag("outcome", outcome)
                .description("Requests by the API key's name: taken, limited, or refused").register(registry).increment();
    }

    /** When the container secret expires. */
    public void licensedUntil(Instant expires) {
        gauge("moebius_license_seconds_left", () -> Duration.between(Instant.now(), expires).toSeconds(),
                "Seconds until the container secret expires; negative afterwards");
    }

    /** The engine whose load the gauges show. */
    public void observe(Engine engine) {
        this.engine.set(engine);
    }

    public void requested(int sequences) {
        requests.increment();
        items.increment(sequences);
        currentRequests.incrementAndGet();
        currentItems.addAndGet(sequences);
    }

    /** A request has left, however it ended. */
    public void ended(int sequences) {
        currentRequests.decrementAndGet();
        currentItems.addAndGet(-sequences);
    }

    public int currentRequests() {
        return currentRequests.get();
    }

    public void responded() {
        responses.increment();
    }

    public void cancelled() {
        failuresByCancel.incrementAndGet();
    }

    public void timedOut() {
        failuresByTimeout.incrementAndGet();
    }

    public void notANumber() {
        failuresByNan.incrementAndGet();
    }

    public void rejected() {
        failuresByReject.incrementAndGet();
    }

    @Override
    public void queued(int promptTokens) {
        inputLengths.record(promptTokens);
    }

    @Override
    public void firstToken(Duration queueing, Duration sinceQueued) {
        queueingDelays.record(queueing.toNanos());
        ttft.record(sinceQueued.toNanos());
    }

    @Override
    public void left(Outcome outcome, int outputTokens, Duration sinceQueued) {
        outputLengths.record(outputTokens);
        latencies.record(sinceQueued.toNanos());
    }

    private Engine.Load load() {
        Engine observed = engine.get();
        return observed == null ? new Engine.Load(0, 0, 0, 0) : observed.load();
    }

    private void gauge(String name, Supplier<Number> value, String description) {
        Gauge.builder(name, value).description(description).register(registry);
    }

    private DistributionSummary histogram(String name, double[] bounds, String description) {
        return DistributionSummary.builder(name).description(description).serviceLevelObjectives(bounds).register(registry);
    }

    private DistributionSummary quantiles(String name, String description) {
        return DistributionSummary.builder(name).description(description)
                .publishPercentiles(0.5, 0.9, 0.99).percentilePrecision(2).register(registry);
    }
}
