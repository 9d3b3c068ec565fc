package io.moebius.policy;

import io.moebius.backend.KernelCall;
import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * A policy measured anew against the defaults, in pairs: each choice in the steps it was made for, and whole steps wherever the policy
 * changes one, between its token counts too.
 *
 * @param steps   whole steps that run other variants than the defaults; a mixed one counts by the prompt token
 * @param checked choices looked at
 * @param failed  a line for each choice and step that is now surely slower than the default by more than 2 %
 */
public record Verification(List<Proof> steps, int checked, List<String> failed) {

    private static final double TOLERANCE = 0.02;

    /**
     * @param pairs of steps of each kind
     * @throws PolicyException if the backend has no such variant
     */
    public static Verification of(Policy policy, Tunable backend, Steps steps, LongSupplier nanoTime, int pairs) {
        return new Measurement(policy, backend, steps, nanoTime, pairs).run();
    }

    private static final class Measurement {

        private final Policy policy;
        private final Tunable backend;
        private final Steps steps;
        private final LongSupplier nanoTime;
        private final int pairs;
        private final Chosen chosen;
        private final List<Proof> proofs = new ArrayList<>();
        private final List<String> failed = new ArrayList<>();

        Measurement(Policy policy, Tunable backend, Steps steps, LongSupplier nanoTime, int pairs) {
            this.policy = policy;
            this.backend = backend;
            this.steps = steps;
            this.nanoTime = nanoTime;
            this.pairs = pairs;
            steps.fillCache();
            this.chosen = new Chosen(backend, policy);
        }

        Verification run() {
            for (int tokens : tokenCounts()) {
                for (Steps.Phase phase : Search.PURE) {
                    if (steps.possible(phase, tokens)) {
                        measure(phase, tokens);
                    }
                }
            }
            policy.choices().stream().filter(choice -> choice.site().equals(StepShape.SITE)).forEach(this::measureShape);
            return new Verification(List.copyOf(proofs), policy.choices().size(), List.copyOf(failed));
        }

        /** Those of the policy, the last at which each still holds, and those that are filled up most where other sizes are recorded. */
        private TreeSet<Integer> tokenCounts() {
            TreeSet<Integer> counts = new TreeSet<>();
            policy.ofKernels().values().forEach(choices -> choices.keySet().forEach(
                    tokens -> counts.addAll(List.of(Chosen.fewest(tokens), tokens, Chosen.most(tokens)))));
            if (recordsOthers() && !counts.isEmpty()) {
                counts.addAll(Recordings.counts(backend, steps, counts.last()));
            }
            return counts;
        }

        private boolean recordsOthers() {
            return chosen.recordedSizes().filter(sizes -> !sizes.equals(backend.recordedSizes().getFirst())).isPresent();
        }

        private void measure(Steps.Phase phase, int tokens) {
            Changes changes = new Changes();
            Trial.run(backend, steps, phase, tokens, changes, nanoTime);
            if (!changes.any && !(phase == Steps.Phase.DECODE && recordsOthers())) {
                return;
            }
            Proof proof = Proof.measure(
                    phase, tokens,
                    () -> Trial.whole(backend, steps, phase, tokens, call -> call.run(byDefault(call)), nanoTime),
                    () -> Trial.whole(backend, steps, phase, tokens, chosen, nanoTime),
                    pairs);
            proofs.add(proof);
            if (proof.surelySlower(TOLERANCE)) {
                failed.add(String.format(Locale.ROOT, "a %s step of %d tokens takes %.2f ms, with the defaults %.2f ms",
                        phase.name().toLowerCase(Locale.ROOT), tokens, proof.micros() / 1e3, proof.defaultMicros() / 1e3));
            }
            if (phase == Search.phase(steps, tokens)) {
                measureSites(phase, tokens);
            }
        }

        private void measureSites(Steps.Phase phase, int tokens) {
            Map<Site, SitePairs> sites = new TreeMap<>();
            for (int pair = 0; pair < pairs; pair++) {
                Map<Site, Long> before = Trial.run(backend, steps, phase, tokens, this::byDefault, nanoTime).nanos();
                Map<Site, Long> now = Trial.run(
                        backend, steps, phase, tokens, call -> chosen.variant(call.site(), call.tokens()), nanoTime).nanos();
                before.forEach((site, nanos) -> sites.computeIfAbsent(site, s -> new SitePairs()).add(nanos, now.get(site)));
            }
            sites.forEach((site, times) -> policy.choice(site, tokens).ifPresent(choice -> hold(choice, times)));
        }

        private record SitePairs(Samples defaults, Samples choices, Samples ratios) {
            SitePairs() {
                this(new Samples(), new Samples(), new Samples());
            }

            void add(double before, double now) {
                defaults.add(before);
                choices.add(now);
                ratios.add(now / before);
            }
        }

        private Variant byDefault(KernelCall call) {
            return backend.defaultVariant(call.site(), call.tokens());
        }

        private void hold(Choice choice, SitePairs times) {
            if (times.ratios().interval().least() > 1 + TOLERANCE) {
                failed.add(String.format(Locale.ROOT, "%s at %d tokens: \"%s\" takes %.1f us, the default %.1f us",
                        choice.site(), choice.tokens(), choice.variant(), times.choices().median() / 1e3, times.defaults().median() / 1e3));
            }
        }

        /** Prompts must be read as fast as by the default. */
        private void measureShape(Choice choice) {
            StepShape.Budget budget = StepShape.budget(choice);
            int most = choice.tokens();
            StepShape.Budget all = new StepShape.Budget(most);
            if (budget.equals(all) || !StepShape.possible(steps, most)) {
                return;
            }
            backend.dispatch(chosen);
            Proof proof = Proof.measure(
                    Steps.Phase.MIXED, most,
                    () -> (long) (StepShape.time(steps, all, most, nanoTime) / all.read(most)),
                    () -> (long) (StepShape.time(steps, budget, most, nanoTime) / budget.read(most)),
                    pairs);
            proofs.add(proof);
            if (proof.surelySlower(StepShape.TOLERANCE)) {
                failed.add(String.format(Locale.ROOT, "%s, \"%s\": reads prompts at %.0f %% of the default's speed",
                        choice.site(), choice.variant(), 100 * proof.gain()));
            }
        }

        /** Runs the policy's choices and notes whether any is not the default. */
        private final class Changes implements Function<KernelCall, Variant> {

            private boolean any;

            @Override
            public Variant apply(KernelCall call) {
                Variant variant = chosen.variant(call.site(), call.tokens());
                any |= !variant.equals(byDefault(call));
                return variant;
            }
        }
    }
}
