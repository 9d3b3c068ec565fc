package io.moebius.bench;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import java.util.Locale;

/**
 * What {@code bench model --in-out} found, as its JSON says it.
 *
 * @param machine processor, backend and threads
 */
// Jackson reads the components by reflection, in the native executable too.
@RegisterForReflection(targets = {
    ServingReport.class, ServingReport.Result.class, ServingReport.Percentiles.class, PropertyNamingStrategies.SnakeCaseStrategy.class
})
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record ServingReport(String machine, String model, String kvCache, List<Result> results) {

    /**
     * @param requests             under way at once
     * @param seconds              measured in the steady state
     * @param finished             requests that ended within them
     * @param timeToFirstTokenMs   from submission; null where no request began within them
     * @param interTokenLatencyMs  between tokens of the same request; null where none had two
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Result(
            int inputTokens, int outputTokens, int requests, double seconds, int finished, double outputTokensPerSecond,
            double requestsPerSecond, Percentiles timeToFirstTokenMs, Percentiles interTokenLatencyMs) {}

    public record Percentiles(double p50, double p90, double p99) {

        static String text(Percentiles of) {
            return of == null ? "-" : String.format(Locale.ROOT, "%.1f / %.1f / %.1f", of.p50, of.p90, of.p99);
        }
    }

    /** A table for people. */
    public String table() {
        StringBuilder out = new StringBuilder("machine   %s\nmodel     %s\nKV cache  %s\n\n".formatted(machine, model, kvCache));
        out.append("in/out     requests  seconds  output tokens/s  first token ms 50/90/99 %    between tokens ms 50/90/99 %\n");
        for (Result result : results) {
            out.append(String.format(
                    Locale.ROOT, "%-10s %8d  %7.1f  %15.1f  %-27s  %s%n",
                    result.inputTokens + "/" + result.outputTokens, result.requests, result.seconds, result.outputTokensPerSecond,
                    Percentiles.text(result.timeToFirstTokenMs), Percentiles.text(result.interTokenLatencyMs)));
        }
        return out.toString();
    }
}
