package io.moebius.policy;

import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/**
 * A policy's choices, measured anew against the defaults.
 *
 * @param checked choices measured
 * @param failed  a line for each that is now slower than the default
 */
public record Verification(int checked, List<String> failed) {

    private static final int ROUNDS = 7;
    private static final double TOLERANCE = 1.02;

    /** @throws PolicyException if the backend has no such variant */
    public static Verification of(Policy policy, Tunable backend, Steps steps, LongSupplier nanoTime) {
        Search.sites(backend, steps);
        int checked = 0;
        List<String> failed = new ArrayList<>();
        for (int tokens : new TreeSet<>(policy.choices().stream().map(Choice::tokens).toList())) {
            Steps.Phase phase = Search.phase(steps, tokens);
            if (!steps.possible(phase, tokens)) {
                continue;
            }
            Map<Site, Variant> variants = new HashMap<>();
            List<Choice> choices = policy.choices().stream().filter(choice -> choice.tokens() == tokens).toList();
            choices.forEach(choice -> variants.put(choice.site(), Chosen.variant(backend, choice.site(), tokens, choice.variant())));
            Map<Site, Samples> defaults = new TreeMap<>();
            Map<Site, Samples> chosen = new TreeMap<>();
            for (int round = 0; round < ROUNDS; round++) {
                measure(Trial.run(backend, steps, phase, tokens, Map.of(), nanoTime), defaults);
                measure(Trial.run(backend, steps, phase, tokens, variants, nanoTime), chosen);
            }
            for (Choice choice : choices) {
                Samples before = defaults.get(choice.site());
                Samples now = chosen.get(choice.site());
                if (before == null) {
                    failed.add("%s: this model has no such site".formatted(choice.site()));
                } else if (now.median() > (TOLERANCE + before.noise() + now.noise()) * before.median()) {
                    failed.add(String.format(Locale.ROOT, "%s at %d tokens: \"%s\" takes %.1f us, the default %.1f us",
                            choice.site(), tokens, choice.variant(), now.median() / 1e3, before.median() / 1e3));
                }
                checked++;
            }
        }
        return new Verification(checked, List.copyOf(failed));
    }

    private static void measure(Trial trial, Map<Site, Samples> samples) {
        trial.nanos().forEach((site, nanos) -> samples.computeIfAbsent(site, s -> new Samples()).add(nanos));
    }
}
