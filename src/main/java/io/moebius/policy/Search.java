package io.moebius.policy;

import io.moebius.backend.Roofline;
import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Finds the best variant of every site at one token count after the other. All sites are tried in the same steps of the real model:
 * each step runs every site in one of its variants and takes the time of each, so that weights come from memory as they do in service.
 */
public final class Search {

    /** What was found at one token count: the choices, and the whole steps that prove them where one is not the default. */
    public record Found(List<Choice> choices, List<Proof> proofs, int refused) {

        /** Whether something was chosen within seconds: another program may have been beside all of them. */
        boolean hasty() {
            return choices.stream().anyMatch(Choice::changed) && proofs.getFirst().defaultMicros() < LONG_STEP_NANOS / 1e3;
        }
    }

    /** What kernels are chosen for; a mixed step is both. */
    static final List<Steps.Phase> PURE = List.of(Steps.Phase.DECODE, Steps.Phase.PREFILL);

    private static final int LEAST_FINAL_ROUNDS = 7;
    private static final int LEAST_FINAL_ROUNDS_OF_LONG_STEPS = 3;
    private static final int MOST_FINAL_ROUNDS = 25;
    private static final long FINAL_NANOS = 6_000_000_000L;
    private static final long LONG_STEP_NANOS = 500_000_000;
    private static final int MOST_REPEATS = 5;
    private static final long ROUND_NANOS = 60_000_000;
    /** Up to so many tokens a step is usually a decode, beyond a prefill. */
    private static final int DECODE_TOKENS = 64;

    private record Kind(Steps.Phase phase, int tokens) {}

    private final Tunable backend;
    private final Steps steps;
    private final LongSupplier nanoTime;
    private final BooleanSupplier stop;
    private final Optional<Roofline> roofline;

    /** @param stop asked between steps; true ends the search */
    public Search(Tunable backend, Steps steps, LongSupplier nanoTime, BooleanSupplier stop) {
        this.backend = backend;
        this.steps = steps;
        this.nanoTime = nanoTime;
        this.stop = stop;
        this.roofline = backend.roofline();
    }

    /** 1, 2, 4, ... and {@code most}. */
    public static List<Integer> tokenCounts(int most) {
        List<Integer> counts = new ArrayList<>();
        for (int tokens = 1; tokens < most; tokens *= 2) {
            counts.add(tokens);
        }
        counts.add(most);
        return List.copyOf(counts);
    }

    /** The sites of the model: those of a step of one token. */
    public static Collection<Site> sites(Tunable backend, Steps steps) {
        return Trial.run(backend, steps, Steps.Phase.DECODE, 1, Map.of(), System::nanoTime).nanos().keySet();
    }

    /**
     * @param settled sites that are not searched, and what they run in
     * @param tokens of a possible step
     * @return empty if it was stopped
     */
    public Optional<Found> at(int tokens, Map<Site, Variant> settled) {
        return new Attempt(phase(steps, tokens), tokens, settled).run();
    }

    /**
     * Proves choices once more, at another time, by the usual kind of step.
     *
     * @return the same, or all defaults where they no longer hold
     */
    public Found again(int tokens, Found found, Map<Site, Variant> settled) {
        Found second = proven(found.choices(), settled, List.of(List.of(usual(tokens))), found.refused());
        return new Found(second.choices(), Stream.concat(found.proofs().stream(), second.proofs().stream()).toList(), second.refused());
    }

    /** Whether a step of so many tokens can be run at all. */
    public static boolean possible(Steps steps, int tokens) {
        return steps.possible(phase(steps, tokens), tokens);
    }

    /** What a step of so many tokens is measured as. */
    static Steps.Phase phase(Steps steps, int tokens) {
        Steps.Phase usual = tokens <= DECODE_TOKENS ? Steps.Phase.DECODE : Steps.Phase.PREFILL;
        Steps.Phase other = usual == Steps.Phase.DECODE ? Steps.Phase.PREFILL : Steps.Phase.DECODE;
        return steps.possible(usual, tokens) ? usual : other;
    }

    private final class Attempt {

        private final Steps.Phase phase;
        private final int tokens;
        private final Map<Site, Variant> settled;
        private final Map<Site, Contest> contests = new TreeMap<>();
        private long expected;
        private int repeats;
        private int refused;

        Attempt(Steps.Phase phase, int tokens, Map<Site, Variant> settled) {
            this.phase = phase;
            this.tokens = tokens;
            this.settled = settled;
        }

        Optional<Found> run() {
            Trial first = step(Map.of());
            expected = first.fingerprint();
            first.nanos().keySet().stream()
                    .filter(site -> !settled.containsKey(site))
                    .forEach(site -> contests.put(site, new Contest(site, backend.variants(site, tokens), roofline.map(most -> first.boundMicros(site, most)).orElse(0.0))));
            // The first step of a kind may have more to do than later ones, which matters where it is short.
            long usual = first.total() > LONG_STEP_NANOS ? first.total() : step(Map.of()).total();
            repeats = (int) Math.clamp(ROUND_NANOS / Math.max(1, usual), 1, MOST_REPEATS);
            int among = usual > LONG_STEP_NANOS ? 3 : 2;
            while (!contests.values().stream().allMatch(Contest::decided)) {
                for (int i = 0; i < repeats; i++) {
                    if (!round()) {
                        return Optional.empty();
                    }
                }
                contests.values().stream().filter(contest -> !contest.decided()).forEach(contest -> contest.thin(among));
            }
            if (!finals(usual)) {
                return Optional.empty();
            }
            List<Choice> choices = contests.values().stream().map(contest -> contest.choice(tokens)).toList();
            return Optional.of(proven(choices, settled, range(tokens), refused));
        }

        /** Pairs of challenger and default, until none could win by some more of them; false if stopped. */
        private boolean finals(long stepNanos) {
            contests.values().forEach(Contest::begin);
            int least = stepNanos > LONG_STEP_NANOS ? LEAST_FINAL_ROUNDS_OF_LONG_STEPS : LEAST_FINAL_ROUNDS;
            int most = (int) Math.clamp(FINAL_NANOS / Math.max(1, 2 * stepNanos), Math.max(least, Contest.LEAST_SURE), MOST_FINAL_ROUNDS);
            for (int round = 0; round < least || round < most && contests.values().stream().anyMatch(Contest::open); round++) {
                if (stop.getAsBoolean()) {
                    return false;
                }
                // Turn about, so that neither always follows the other.
                if (measure(round % 2) & measure(1 - round % 2)) {
                    contests.values().forEach(Contest::pair);
                }
            }
            return true;
        }

        /** One step for every contender that is left, each site having another one in each step; false if stopped. */
        private boolean round() {
            int most = contests.values().stream().mapToInt(contest -> contest.left().size()).max().orElse(0);
            for (int i = 0; i < most; i++) {
                if (stop.getAsBoolean()) {
                    return false;
                }
                measure(i);
            }
            return true;
        }

        /** @return whether the times count */
        private boolean measure(int turn) {
            Map<Site, Contest.Contender> chosen = new HashMap<>();
            contests.forEach((site, contest) -> chosen.put(site, contest.left().get(turn % contest.left().size())));
            Trial trial = step(variants(chosen));
            if (trial.fingerprint() != expected) {
                chosen.entrySet().removeIf(entry -> refuseIfWrong(entry.getKey(), entry.getValue()));
                trial = step(variants(chosen));
            }
            if (trial.fingerprint() != expected) {
                return false;
            }
            Map<Site, Long> nanos = trial.nanos();
            chosen.forEach((site, contender) -> contender.samples.add(nanos.get(site)));
            return true;
        }

        /** A variant whose logits are not the default's, bit for bit, leaves; no time of such a step counts. */
        private boolean refuseIfWrong(Site site, Contest.Contender suspect) {
            boolean wrong = step(Map.of(site, suspect.variant)).fingerprint() != expected && contests.get(site).remove(suspect);
            refused += wrong ? 1 : 0;
            return wrong;
        }

        private static Map<Site, Variant> variants(Map<Site, Contest.Contender> chosen) {
            Map<Site, Variant> variants = new HashMap<>();
            chosen.forEach((site, contender) -> variants.put(site, contender.variant));
            return variants;
        }

        private Trial step(Map<Site, Variant> variants) {
            Map<Site, Variant> all = new HashMap<>(settled);
            all.putAll(variants);
            return Trial.run(backend, steps, phase, tokens, all, nanoTime);
        }
    }

    /** Steps of these tokens, then of the fewest and most for which the choices hold, too. */
    private List<List<Kind>> range(int tokens) {
        List<List<Kind>> range = new ArrayList<>(List.of(PURE.stream().map(phase -> new Kind(phase, tokens)).toList()));
        IntStream.of(Chosen.fewest(tokens), Chosen.most(tokens))
                .filter(count -> count != tokens)
                .forEach(count -> range.add(List.of(usual(count))));
        return range;
    }

    private Kind usual(int tokens) {
        return new Kind(phase(steps, tokens), tokens);
    }

    /** @param results gets the step's fingerprint */
    private long total(Kind kind, Map<Site, Variant> variants, Set<Long> results) {
        long nanos = Trial.whole(backend, steps, kind.phase(), kind.tokens(), call -> {
            Variant variant = variants.get(call.site());
            call.run(variant == null ? backend.defaultVariant(call.site(), call.tokens()) : variant);
        }, nanoTime);
        results.add(steps.fingerprint());
        return nanos;
    }

    /**
     * The choices, or the defaults where a whole step of {@code kinds} became slower with them or had other results, or none of the
     * first ones became faster.
     */
    private Found proven(List<Choice> choices, Map<Site, Variant> settled, List<List<Kind>> kinds, int refused) {
        if (choices.stream().noneMatch(Choice::changed)) {
            return new Found(choices, List.of(), refused);
        }
        Map<Site, Variant> variants = new HashMap<>(settled);
        choices.stream().filter(Choice::changed).forEach(choice ->
                variants.put(choice.site(), Chosen.variant(backend, choice.site(), choice.tokens(), choice.variant())));
        List<Proof> proofs = new ArrayList<>();
        boolean alike = true;
        boolean holds = true;
        for (List<Kind> together : kinds) {
            for (Kind kind : together) {
                if (holds && steps.possible(kind.phase(), kind.tokens())) {
                    Set<Long> results = new HashSet<>();
                    proofs.add(Proof.measure(
                            kind.phase(), kind.tokens(), () -> total(kind, Map.of(), results), () -> total(kind, variants, results)));
                    alike &= results.size() == 1;
                }
            }
            holds &= alike && proofs.stream().noneMatch(Proof::slower) && proofs.stream().anyMatch(Proof::faster);
        }
        int wrong = alike ? 0 : (int) choices.stream().filter(Choice::changed).count();
        return new Found(holds ? choices : choices.stream().map(this::refused).toList(), List.copyOf(proofs), refused + wrong);
    }

    private Choice refused(Choice choice) {
        return choice.refused(backend.defaultVariant(choice.site(), choice.tokens()).name());
    }
}
