package io.moebius.policy;

import io.moebius.backend.Dispatch;
import io.moebius.backend.KernelCall;
import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * To which sizes decode steps are filled up, on a backend that records them. Measured are steps of one sequence more than a power of
 * two, which the default fills up most. Rows of nobody never change another row's bits.
 */
final class Recordings {

    /** Tokens and times of its choices are those of the largest decode step that was measured. */
    static final Site SITE = new Site("step", "sizes of recorded decodes");

    private static final int LEAST = 5;

    /** Kernels in their variants, steps recorded in {@code sizes}. */
    private record Sized(Dispatch kernels, Variant sizes) implements Dispatch {
        @Override
        public void run(KernelCall call) {
            kernels.run(call);
        }

        @Override
        public Optional<Variant> recordedSizes() {
            return Optional.of(sizes);
        }
    }

    private record Candidate(Variant sizes, List<Proof> proofs) {
        boolean holds() {
            return proofs.stream().noneMatch(Proof::slower) && proofs.stream().anyMatch(Proof::faster);
        }

        double ratio() {
            return proofs.stream().mapToDouble(Proof::ratio).reduce(1, (a, b) -> a * b);
        }

        double lastMicros() {
            return proofs.getLast().ratio() * proofs.getLast().defaultMicros();
        }
    }

    private Recordings() {}

    /**
     * What {@code policy} says; empty where it was not searched.
     *
     * @throws PolicyException if the backend does not know it
     */
    static Optional<Variant> chosen(Tunable backend, Policy policy) {
        TreeMap<Integer, Choice> choices = policy.bySite().get(SITE);
        if (choices == null) {
            return Optional.empty();
        }
        Choice choice = choices.lastEntry().getValue();
        return Optional.of(backend.recordedSizes().stream()
                .filter(sizes -> sizes.name().equals(choice.variant()))
                .findFirst()
                .orElseThrow(() -> new PolicyException("%s has no variant \"%s\"".formatted(SITE, choice.variant()))));
    }

    /** Sequences of the steps that are measured; none where there is nothing to choose. */
    static List<Integer> counts(Tunable backend, Steps steps, int most) {
        List<Integer> counts = new ArrayList<>();
        for (int sequences = LEAST; sequences <= most && backend.recordedSizes().size() > 1; sequences = 2 * sequences - 1) {
            if (steps.possible(Steps.Phase.DECODE, sequences)) {
                counts.add(sequences);
            }
        }
        return counts;
    }

    /**
     * @param counts  as {@link #counts} gives them, one at least
     * @param kernels how calls are run meanwhile
     * @return the sizes with which steps are fastest, if some are surely faster and none is slower; empty if it was stopped
     */
    static Optional<Choice> search(
            Tunable backend, Steps steps, List<Integer> counts, Dispatch kernels, LongSupplier nanoTime, BooleanSupplier stop) {
        List<Variant> all = backend.recordedSizes();
        List<Candidate> candidates = new ArrayList<>();
        for (Variant sizes : all.subList(1, all.size())) {
            List<Proof> proofs = new ArrayList<>();
            for (int sequences : counts) {
                if (stop.getAsBoolean()) {
                    return Optional.empty();
                }
                proofs.add(Proof.measure(
                        Steps.Phase.DECODE, sequences,
                        () -> time(backend, steps, sequences, new Sized(kernels, all.getFirst()), nanoTime),
                        () -> time(backend, steps, sequences, new Sized(kernels, sizes), nanoTime)));
            }
            candidates.add(new Candidate(sizes, proofs));
        }
        candidates.sort(Comparator.comparingDouble(Candidate::ratio));
        return Optional.of(candidates.stream().filter(Candidate::holds).findFirst()
                .map(best -> choice(counts.getLast(), best.sizes(), best.lastMicros(), best, all.getFirst(), defaultMicros(best)))
                .orElseGet(() -> {
                    Candidate next = candidates.getFirst();
                    return choice(counts.getLast(), all.getFirst(), defaultMicros(next), next, next.sizes(), next.lastMicros());
                }));
    }

    private static double defaultMicros(Candidate candidate) {
        return candidate.proofs().getLast().defaultMicros();
    }

    private static Choice choice(int tokens, Variant chosen, double micros, Candidate measured, Variant runnerUp, double runnerUpMicros) {
        return new Choice(SITE, tokens, chosen.name(), micros, defaultMicros(measured), runnerUp.name(), runnerUpMicros, 0);
    }

    private static long time(Tunable backend, Steps steps, int sequences, Dispatch dispatch, LongSupplier nanoTime) {
        return Trial.whole(backend, steps, Steps.Phase.DECODE, sequences, dispatch, nanoTime);
    }
}
