package io.moebius.launch;

import io.moebius.api.Readiness;
import io.moebius.backend.DeviceLostException;
import io.moebius.engine.Engine;
import io.moebius.observe.Metrics;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** Runs the start sequence once the ports are open; drains and closes what it made when the program is told to stop. */
@ApplicationScoped
class Lifecycle implements QuarkusApplication {

    /** Long enough that running requests get their errors, and that whoever probes sees the 503. */
    private static final Duration FAREWELL = Duration.ofSeconds(1);
    private static final Duration POLL = Duration.ofMillis(20);

    private final StartSequence sequence;
    private final Readiness readiness;
    private final Settings settings;
    private final Console console;
    private final Metrics metrics;
    private final AtomicReference<Service> service = new AtomicReference<>();

    Lifecycle(StartSequence sequence, Readiness readiness, Settings settings, Console console, Metrics metrics) {
        this.sequence = sequence;
        this.readiness = readiness;
        this.settings = settings;
        this.console = console;
        this.metrics = metrics;
    }

    /** The ports are open: starts in the background and waits until the program is told to stop. */
    @Override
    public int run(String... arguments) {
        Signals.install(this::drain);
        Thread.ofPlatform().name("start").start(this::start);
        Quarkus.waitForExit();
        return ExitCode.OK.status();
    }

    private void start() {
        try {
            sequence.run().ifPresentOrElse(this::serves, () -> Quarkus.asyncExit(ExitCode.OK.status()));
        } catch (RuntimeException | Error e) {
            StartException failure = StartException.of(e);
            failed(failure.getMessage(), e);
            Quarkus.asyncExit(failure.code().status());
        }
    }

    private void serves(Service started) {
        service.set(started);
        started.engine().death().thenAccept(cause -> {
            StartException failure = cause instanceof DeviceLostException
                    ? StartException.of(cause)
                    : new StartException(
                            ExitCode.ENGINE_FAILED, "the engine has stopped: %s; start the program anew".formatted(Console.firstLine(cause)));
            failed(failure.getMessage(), cause);
            LockSupport.parkNanos(FAREWELL.toNanos());
            Quarkus.asyncExit(failure.code().status());
        });
    }

    private void failed(String message, Throwable cause) {
        System.getLogger(Lifecycle.class.getName()).log(System.Logger.Level.DEBUG, message, cause);
        readiness.failed(message);
        console.failed(message);
    }

    private void drain() {
        readiness.draining();
        Service running = service.get();
        if (running != null) {
            try {
                drain(running.engine(), Duration.ofSeconds(settings.whole(ServerFlags.DRAIN_TIMEOUT)));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        Quarkus.asyncExit(ExitCode.OK.status());
    }

    /** Clients may read more slowly than the engine writes: what they wait for has left it long before it has left the program. */
    private void drain(Engine engine, Duration limit) throws InterruptedException {
        long end = System.nanoTime() + limit.toNanos();
        engine.drain(limit);
        while (metrics.currentRequests() > 0 && System.nanoTime() < end) {
            Thread.sleep(POLL);
        }
    }

    void stopped(@Observes ShutdownEvent event) {
        Service running = service.getAndSet(null);
        if (running != null) {
            running.close();
        }
    }
}
