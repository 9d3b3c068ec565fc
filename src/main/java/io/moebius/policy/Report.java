package io.moebius.policy;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A policy and what a search found, as a table for people. */
public final class Report {

    private Report() {}

    /** A line for each choice that is not the default. */
    public static String table(Policy policy) {
        StringBuilder out = new StringBuilder();
        List<Choice> changed = policy.choices().stream().filter(choice -> choice.gain() > 1).toList();
        int width = changed.stream().mapToInt(choice -> choice.site().toString().length()).max().orElse(4);
        if (!changed.isEmpty()) {
            out.append(line("  %-" + width + "s %6s  %-34s %12s %12s %6s %6s", "site", "tokens", "chosen", "default us", "chosen us", "gain", "bound"));
        }
        for (Choice choice : changed) {
            out.append(line("  %-" + width + "s %6d  %-34s %12.1f %12.1f %5.2fx %4.0f %%",
                    choice.site(), choice.tokens(), choice.variant(), choice.defaultMicros(), choice.micros(), choice.gain(),
                    100 * choice.boundFraction()));
        }
        return out.append(line("  %d of %d choices differ from the defaults", changed.size(), policy.choices().size())).toString();
    }

    /** Predicted and measured time of whole steps. */
    public static String steps(Map<Integer, Search.Found> found) {
        StringBuilder out = new StringBuilder();
        if (!found.isEmpty()) {
            out.append(line("  %6s  %-8s %12s %12s %9s %9s", "tokens", "step", "default ms", "chosen ms", "measured", "predicted"));
        }
        found.forEach((tokens, at) -> {
            double defaults = at.choices().stream().mapToDouble(Choice::defaultMicros).sum();
            double chosen = at.choices().stream().mapToDouble(Choice::micros).sum();
            for (Proof proof : at.proofs()) {
                out.append(line("  %6d  %-8s %12.2f %12.2f %8.2fx %8.2fx%s",
                        tokens, proof.phase().name().toLowerCase(Locale.ROOT), proof.defaultMicros() / 1e3, proof.micros() / 1e3,
                        proof.gain(), predicted(proof.defaultMicros(), defaults, chosen),
                        proof.slower() ? "  slower: defaults kept" : ""));
            }
            if (at.refused() > 0) {
                out.append(line("  %6d  %d variants refused: other results than the default's", tokens, at.refused()));
            }
        });
        return out.toString();
    }

    /** The sites' own gains, diluted by the rest of the step. */
    private static double predicted(double step, double defaults, double chosen) {
        double rest = Math.max(0, step - defaults);
        return (rest + defaults) / (rest + chosen);
    }

    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values).stripTrailing() + "\n";
    }
}
