package io.moebius.bench;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.quarkus.runtime.annotations.RegisterForReflection;
import java.util.List;
import java.util.Locale;

/**
 * What {@code bench model} found, as its JSON says it.
 *
 * @param machine processor, backend and threads
 * @param load    of the weights, until the device has them all
 * @param bounds  null where the device has no measured ones
 */
// Jackson reads the components by reflection, in the native executable too.
@RegisterForReflection(targets = {
    Report.class, Report.Load.class, Report.Bounds.class, Report.Result.class, PropertyNamingStrategies.SnakeCaseStrategy.class
})
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record Report(String machine, String model, Load load, Bounds bounds, List<Result> results) {

    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Load(long bytes, double seconds) {}

    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Bounds(double readBytesPerSecond, double flopsPerSecond, String flopsInstruction) {}

    /**
     * @param phase         prefill or decode
     * @param promptTokens  of the prompt, or the context that each decoded token attends to
     * @param tokensPerSecond     by the median step
     * @param bestTokensPerSecond by the fastest: what other work on the machine does not lower
     * @param boundFraction       of the tokens per second that the lower of the two bounds allows; null without bounds
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Result(String phase, int batch, int promptTokens, double tokensPerSecond, double bestTokensPerSecond, Double boundFraction) {}

    /** A table for people. */
    public String table() {
        StringBuilder out = new StringBuilder("machine  %s\nmodel    %s\n".formatted(machine, model));
        out.append(String.format(
                Locale.ROOT, "load     %.1f GB in %.1f s, %.2f GB/s%n", load.bytes / 1e9, load.seconds, load.bytes / load.seconds / 1e9));
        if (bounds != null) {
            out.append(String.format(
                    Locale.ROOT, "bounds   %.1f GB/s read, %.0f GFLOP/s (%s)%n",
                    bounds.readBytesPerSecond / 1e9, bounds.flopsPerSecond / 1e9, bounds.flopsInstruction));
        }
        out.append("\nphase    batch  prompt  tokens/s  of its bound      best\n");
        for (Result result : results) {
            out.append(String.format(
                    Locale.ROOT, "%-8s %5d  %6d  %8.1f  %11s  %8.1f%n",
                    result.phase, result.batch, result.promptTokens, result.tokensPerSecond,
                    result.boundFraction == null ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * result.boundFraction),
                    result.bestTokensPerSecond));
        }
        return out.toString();
    }
}
