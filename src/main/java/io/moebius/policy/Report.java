package io.moebius.policy;

import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Policies, what a search found and what can be chosen, as text for people. */
public final class Report {

    private Report() {}

    /** Everything that a policy says. */
    public static String all(Policy policy) {
        StringBuilder out = new StringBuilder();
        policy.origin().fields().forEach((field, value) -> out.append("  %-8s %s%n".formatted(field, value)));
        policy.bySite().forEach((site, choices) -> {
            Table table = new Table(" tokens", "variant", " time", " default", " gain", " of bound", "next best", " its time");
            choices.values().forEach(choice -> table.row(
                    choice.tokens(), choice.variant(), time(choice.micros()), time(choice.defaultMicros()), gain(choice),
                    bound(choice), choice.runnerUp(), choice.runnerUp().isEmpty() ? "" : time(choice.runnerUpMicros())));
            out.append("\n").append(site).append("\n").append(table);
        });
        return out.toString();
    }

    /** A line for each choice that is not the default, and how many there are. */
    public static String changes(Policy policy) {
        StringBuilder out = new StringBuilder();
        policy.bySite().forEach((site, choices) -> {
            Table table = new Table(" tokens", "variant", " default", " chosen", " gain", " of bound");
            choices.values().stream().filter(Choice::changed).forEach(choice -> table.row(
                    choice.tokens(), choice.variant(), time(choice.defaultMicros()), time(choice.micros()), gain(choice), bound(choice)));
            out.append(table.isEmpty() ? "" : "  %s%n%s".formatted(site, table));
        });
        long changed = policy.choices().stream().filter(Choice::changed).count();
        return out.append("  %d of %d choices differ from the defaults%n".formatted(changed, policy.choices().size())).toString();
    }

    /** Where two policies differ; empty where they don't. */
    public static String difference(Policy first, Policy second) {
        StringBuilder out = new StringBuilder();
        first.origin().difference(second.origin()).ifPresent(difference -> out.append("  ").append(
                difference.replace(" here,", " in the first,").replace(" there", " in the second")).append("\n"));
        Table table = new Table("site", " tokens", "first", "second");
        first.with(second.choices()).choices().forEach(choice -> {
            String one = first.choice(choice.site(), choice.tokens()).map(Choice::variant).orElse("-");
            String other = second.choice(choice.site(), choice.tokens()).map(Choice::variant).orElse("-");
            if (!one.equals(other)) {
                table.row(choice.site(), choice.tokens(), one, other);
            }
        });
        return out.append(table.isEmpty() ? "" : table.toString()).toString();
    }

    /** What a search gained: whole steps as predicted from the sites and as measured, and the shape of the step. */
    public static String gains(Tuner.Outcome outcome) {
        Table table = new Table(" tokens", "step", " default", " chosen", " measured", " predicted", "");
        outcome.found().forEach((tokens, at) -> at.proofs().forEach(proof -> table.row(
                proof.tokens(), name(proof.phase()), time(proof.defaultMicros()), time(proof.micros()), gain(proof),
                proof.tokens() == tokens ? predicted(at, proof) : "",
                at.choices().stream().anyMatch(Choice::changed) ? "" : proof.slower() ? "slower: defaults kept" : "defaults kept")));
        StringBuilder out = new StringBuilder(table.isEmpty() ? "" : table.toString());
        outcome.found().forEach((tokens, at) -> out.append(at.refused() == 0
                ? ""
                : "  %d tokens: %d variants refused: other results than the default's%n".formatted(tokens, at.refused())));
        ofSteps(outcome.policy()).forEach(line -> out.append("  ").append(line).append("\n"));
        return out.toString();
    }

    /** What was chosen for whole steps, in words. */
    static List<String> ofSteps(Policy policy) {
        return policy.choices().stream()
                .filter(choice -> choice.site().equals(StepShape.SITE) || choice.site().equals(Recordings.SITE))
                .map(choice -> choice.site().equals(StepShape.SITE) ? shape(choice) : recordings(choice))
                .toList();
    }

    private static String recordings(Choice choice) {
        return "sizes of recorded decodes, %s: a step of %d sequences takes %s%s".formatted(
                choice.variant(), choice.tokens(), time(choice.micros()),
                choice.changed() ? " (by default: %s)".formatted(time(choice.defaultMicros())) : "");
    }

    /** What was chosen for the shape of a step, in words. */
    static String shape(Choice choice) {
        StepShape.Budget budget = StepShape.budget(choice);
        int most = choice.tokens();
        String text = String.format(Locale.ROOT, "steps of at most %d tokens read %d of prompts beside decodes: %.0f prompt tokens/s, a decode waits %s",
                most, budget.promptTokens(), StepShape.tokensPerSecond(budget, most, choice.micros()), time(choice.micros()));
        return !choice.changed() ? text : text + String.format(Locale.ROOT, " (with all: %.0f tokens/s, %s)",
                StepShape.tokensPerSecond(new StepShape.Budget(most), most, choice.defaultMicros()), time(choice.defaultMicros()));
    }

    /** Whole steps measured anew, and what no longer holds. */
    public static String verified(Verification verification) {
        Table table = new Table(" tokens", "step", " default", " policy", " gain", " 95 % between");
        verification.steps().forEach(proof -> table.row(
                proof.tokens(), name(proof.phase()), time(proof.defaultMicros()), time(proof.micros()), gain(proof),
                String.format(Locale.ROOT, "%.3f and %.3f", 1 / proof.most(), 1 / proof.least())));
        StringBuilder out = new StringBuilder(table.isEmpty() ? "" : table.toString());
        verification.failed().forEach(line -> out.append("  no longer holds: ").append(line).append("\n"));
        return out.append("  %d choices, %d kinds of steps that they change measured, %d slower than the defaults%n".formatted(
                verification.checked(), verification.steps().size(), verification.failed().size())).toString();
    }

    /** Each variant of each site, and the token counts that it is valid for; * marks the default. */
    public static String catalogue(Tunable backend, Collection<Site> sites, List<Integer> tokenCounts) {
        StringBuilder out = new StringBuilder();
        for (Site site : sites) {
            Map<String, StringBuilder> valid = new LinkedHashMap<>();
            tokenCounts.forEach(tokens -> note(valid, tokens, backend.variants(site, tokens)));
            out.append(section(site, valid));
        }
        int most = tokenCounts.getLast();
        Map<String, StringBuilder> budgets = new LinkedHashMap<>();
        note(budgets, most, StepShape.variants(most));
        out.append(section(StepShape.SITE, budgets));
        Map<String, StringBuilder> sizes = new LinkedHashMap<>();
        note(sizes, most, backend.recordedSizes());
        return out.append(sizes.isEmpty() ? "" : section(Recordings.SITE, sizes)).toString();
    }

    private static void note(Map<String, StringBuilder> valid, int tokens, List<? extends Variant> variants) {
        for (int i = 0; i < variants.size(); i++) {
            valid.computeIfAbsent(variants.get(i).name(), name -> new StringBuilder()).append(tokens).append(i == 0 ? "* " : " ");
        }
    }

    private static String section(Site site, Map<String, StringBuilder> valid) {
        Table table = new Table("variant", "tokens (* default)");
        valid.forEach(table::row);
        return "%s: %d variants%n%s%n".formatted(site, valid.size(), table);
    }

    static String time(double micros) {
        return micros >= 1e6 ? String.format(Locale.ROOT, "%.2f s", micros / 1e6)
                : micros >= 1e3 ? String.format(Locale.ROOT, "%.2f ms", micros / 1e3)
                : String.format(Locale.ROOT, "%.1f us", micros);
    }

    private static String name(Steps.Phase phase) {
        return phase == Steps.Phase.MIXED ? "prompt token" : phase.name().toLowerCase(Locale.ROOT);
    }

    private static String gain(Choice choice) {
        return choice.changed() ? String.format(Locale.ROOT, "%.2fx", choice.gain()) : "";
    }

    private static String gain(Proof proof) {
        return String.format(Locale.ROOT, "%.2fx", proof.gain());
    }

    private static String bound(Choice choice) {
        return choice.boundMicros() == 0 ? "" : String.format(Locale.ROOT, "%.0f %%", 100 * choice.boundFraction());
    }

    /** The sites' own gains, diluted by the rest of the step. */
    private static String predicted(Search.Found at, Proof proof) {
        double defaults = at.choices().stream().mapToDouble(Choice::defaultMicros).sum();
        double chosen = at.choices().stream().mapToDouble(Choice::micros).sum();
        double rest = Math.max(0, proof.defaultMicros() - defaults);
        return String.format(Locale.ROOT, "%.2fx", (rest + defaults) / (rest + chosen));
    }
}
