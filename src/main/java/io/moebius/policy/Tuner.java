package io.moebius.policy;

import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/** Searches what the policy of a folder does not have yet, and keeps each token count as soon as it is done. */
public final class Tuner {

    /** Hears how far the search is. */
    public interface Progress {
        /**
         * @param fraction of the whole search, 0 to 1
         * @param left     what the rest will take at the rate so far; zero where nothing is known yet
         */
        void searching(int tokens, double fraction, Duration left);
    }

    /**
     * @param found    what was searched now, by token count
     * @param complete whether nothing is left to be searched
     */
    public record Outcome(Policy policy, Map<Integer, Search.Found> found, boolean complete) {}

    private final Tunable backend;
    private final Steps steps;
    private final Origin origin;
    private final PolicyFolder folder;
    private final LongSupplier nanoTime;

    public Tuner(Tunable backend, Steps steps, Origin origin, PolicyFolder folder, LongSupplier nanoTime) {
        this.backend = backend;
        this.steps = steps;
        this.origin = origin;
        this.folder = folder;
        this.nanoTime = nanoTime;
    }

    /**
     * @param budget the search ends after this time with what it has
     * @throws PolicyException if the folder cannot keep the policy
     */
    public Outcome search(List<Integer> tokenCounts, Duration budget, Progress progress) {
        folder.check(origin);
        return new Run(tokenCounts, budget, progress).run();
    }

    /** One search: what it has to do, and what it has found. */
    private final class Run {

        private final Progress progress;
        private final List<Integer> missing = new ArrayList<>();
        private final int most;
        private final List<Integer> recorded;
        private final boolean shapeMissing;
        private final double all;
        private final long begin;
        private final BooleanSupplier enough;
        private final Search search;
        private final Map<Integer, Search.Found> found = new TreeMap<>();
        private Policy policy;
        private double done;
        private boolean complete = true;

        Run(List<Integer> tokenCounts, Duration budget, Progress progress) {
            this.progress = progress;
            policy = folder.save(origin, List.of());
            Collection<Site> sites = Search.sites(backend, steps);
            inForce(policy);
            for (int tokens : tokenCounts) {
                if (Search.possible(steps, tokens) && !policy.missing(sites, List.of(tokens)).isEmpty()) {
                    missing.add(tokens);
                }
            }
            if (!missing.isEmpty()) {
                steps.fillCache();
            }
            most = tokenCounts.getLast();
            recorded = policy.sites().contains(Recordings.SITE) ? List.of() : Recordings.counts(backend, steps, most);
            shapeMissing = StepShape.possible(steps, most) && policy.choice(StepShape.SITE, most).isEmpty();
            all = missing.stream().mapToDouble(Tuner::cost).sum()
                    + (recorded.isEmpty() ? 0 : cost(recorded.getLast())) + (shapeMissing ? cost(most) : 0);
            begin = nanoTime.getAsLong();
            enough = () -> nanoTime.getAsLong() - begin > budget.toNanos();
            search = new Search(backend, steps, nanoTime, enough);
        }

        Outcome run() {
            missing.forEach(this::kernels);
            proveHasty();
            recordings();
            shape();
            return new Outcome(policy, found, complete);
        }

        private void kernels(int tokens) {
            tell(tokens);
            Optional<Search.Found> result = search.at(tokens, settled(policy, tokens));
            result.ifPresent(at -> {
                found.put(tokens, at);
                keep(at.choices());
            });
            complete &= result.isPresent();
            done += cost(tokens);
        }

        private void proveHasty() {
            found.replaceAll((tokens, at) -> {
                if (!at.hasty() || enough.getAsBoolean()) {
                    return at;
                }
                Search.Found second = search.again(tokens, at, settled(policy, tokens));
                keep(second.choices());
                return second;
            });
        }

        /** With the kernels as they will run. */
        private void recordings() {
            if (complete && !recorded.isEmpty()) {
                tell(recorded.getLast());
                keep(Recordings.search(backend, steps, recorded, inForce(policy), nanoTime, enough));
                done += cost(recorded.getLast());
            }
        }

        private void shape() {
            if (complete && shapeMissing) {
                tell(most);
                backend.dispatch(inForce(policy));
                keep(StepShape.search(steps, most, nanoTime, enough));
            }
        }

        /** Empty where there was not enough time. */
        private void keep(Optional<Choice> choice) {
            complete = choice.isPresent();
            choice.ifPresent(kept -> keep(List.of(kept)));
        }

        private void keep(Collection<Choice> choices) {
            policy = folder.save(origin, choices);
        }

        /** What the rest will take at the rate so far. */
        private void tell(int tokens) {
            long spent = nanoTime.getAsLong() - begin;
            Duration left = done == 0 ? Duration.ZERO : Duration.ofNanos((long) (spent / done * (all - done)));
            progress.searching(tokens, done / all, left);
        }
    }

    private Chosen inForce(Policy policy) {
        try {
            return new Chosen(backend, policy);
        } catch (PolicyException e) {
            throw folder.refused(origin, e.getMessage());
        }
    }

    /** A step of few tokens reads all weights, too, and has the most variants; beyond that it costs by the token. */
    private static double cost(int tokens) {
        return 40 + tokens;
    }

    private Map<Site, Variant> settled(Policy policy, int tokens) {
        Map<Site, Variant> settled = new HashMap<>();
        policy.choices().stream().filter(choice -> choice.tokens() == tokens).forEach(choice -> backend.variants(choice.site(), tokens).stream()
                .filter(variant -> variant.name().equals(choice.variant()))
                .forEach(variant -> settled.put(choice.site(), variant)));
        return settled;
    }
}
