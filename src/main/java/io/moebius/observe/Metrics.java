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
        failures(registry, "cancel", failuresByCancel);
        failures(registry, "timeout", failuresByTimeout);
        failures(registry, "nan_error", failuresByNan);
        failures(registry, "reject", failuresByReject);
        Gauge.builder("friendli_current_requests", currentRequests, AtomicInteger::get).register(registry);
        Gauge.builder("friendli_current_items", currentItems, AtomicInteger::get).register(registry);
        Gauge.builder("friendli_current_assigned_items", () -> load().running()).register(registry);
        Gauge.builder("friendli_current_waiting_items", () -> load().waiting()).register(registry);
        Gauge.builder("friendli_engine_version", () -> 1).tag("version", version).register(registry);
        histogram(registry, "friendli_tcache_hit_ratio", RATIOS);
        inputLengths = histogram(registry, "friendli_input_lengths", LENGTHS);
        outputLengths = histogram(registry, "friendli_output_lengths", LENGTHS);
        latencies = quantiles(registry, "friendli_requests_latencies");
        ttft = quantiles(registry, "friendli_requests_ttft");
        queueingDelays = quantiles(registry, "friendli_requests_queueing_delays");
    }

    /** A request with an API key: taken, limited, or refused (then {@code name} is empty). */
    public void keyUsed(String name, String outcome) {
        Counter.builder("moebius_api_key_requests").tag("key", name).tag("outcome", outcome).register(registry).increment();
    }

    /** When the container secret expires. */
    public void licensedUntil(Instant expires) {
        Gauge.builder("moebius_license_seconds_left", () -> Duration.between(Instant.now(), expires).toSeconds()).register(registry);
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

    private static void failures(MeterRegistry registry, String cause, AtomicLong count) {
        Gauge.builder("friendli_failure_by_" + cause, count, AtomicLong::get)
                .description("Requests that failed by " + cause)
                .register(registry);
    }

    private static DistributionSummary histogram(MeterRegistry registry, String name, double[] bounds) {
        return DistributionSummary.builder(name).serviceLevelObjectives(bounds).register(registry);
    }

    private static DistributionSummary quantiles(MeterRegistry registry, String name) {
        return DistributionSummary.builder(name).publishPercentiles(0.5, 0.9, 0.99).percentilePrecision(2).register(registry);
    }
}
