package io.moebius.launch;

import java.time.Duration;
import java.util.Locale;

/** What is served, as it is printed once the first token has been generated. */
record Summary(
        String model,
        String format,
        long weightBytes,
        String backend,
        String activations,
        MemoryPlan cache,
        String cacheType,
        int maxSequenceLength,
        String policy,
        int webPort,
        int metricsPort,
        Duration start) {

    /** For a log. */
    String line() {
        return String.format(
                Locale.ROOT, "serves %s on %s; policy: %s; ports: API %d, metrics %d; ready in %.1f s",
                model, backend, policy, webPort, metricsPort, start.toMillis() / 1000.0);
    }

    String text() {
        return String.format(
                Locale.ROOT,
                """

                Moebius serves %s

                  format       %s, %s of weights
                  backend      %s
                  activations  %s
                  KV cache     %,d tokens in %s, %s; sequences up to %,d tokens
                  policy       %s
                  ports        API %d, metrics %d
                  ready in     %.1f s

                  curl localhost:%d/v1/chat/completions -H 'Content-Type: application/json' \\
                    -d '{"messages": [{"role": "user", "content": "Hello!"}]}'

                """,
                model,
                format,
                Console.size(weightBytes),
                backend,
                activations,
                cache.tokens(),
                Console.size(cache.bytes()),
                cacheType,
                maxSequenceLength,
                policy,
                webPort,
                metricsPort,
                start.toMillis() / 1000.0,
                webPort);
    }
}
