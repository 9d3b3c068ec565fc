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
        Policy policy = folder.save(origin, List.of());
        Collection<Site> sites = Search.sites(backend, steps);
        inForce(policy);
        List<Integer> missing = new ArrayList<>();
        for (int tokens : tokenCounts) {
            if (Search.possible(steps, tokens) && !policy.sites(tokens).containsAll(sites)) {
                missing.add(tokens);
            }
        }
        long begin = nanoTime.getAsLong();
        BooleanSupplier enough = () -> nanoTime.getAsLong() - begin > budget.toNanos();
        Search search = new Search(backend, steps, nanoTime, enough);
        Map<Integer, Search.Found> found = new TreeMap<>();
        int most = tokenCounts.getLast();
        List<Integer> recorded = policy.sites().contains(Recordings.SITE) ? List.of() : Recordings.counts(backend, steps, most);
        boolean shapeMissing = StepShape.possible(steps, most) && policy.choice(StepShape.SITE, most).isEmpty();
        double all = missing.stream().mapToDouble(Tuner::cost).sum() + (recorded.isEmpty() ? 0 : cost(recorded.getLast())) + (shapeMissing ? cost(most) : 0);
        double done = 0;
        boolean complete = true;
        for (int tokens : missing) {
            progress.searching(tokens, done / all, left(begin, done, all));
            Optional<Search.Found> result = search.at(tokens, settled(policy, tokens));
            if (result.isPresent()) {
                found.put(tokens, result.get());
                policy = folder.save(origin, result.get().choices());
            } else {
                complete = false;
            }
            done += cost(tokens);
        }
        for (Map.Entry<Integer, Search.Found> each : found.entrySet()) {
            if (each.getValue().hasty() && !enough.getAsBoolean()) {
                each.setValue(search.again(each.getKey(), each.getValue(), settled(policy, each.getKey())));
                policy = folder.save(origin, each.getValue().choices());
            }
        }
        // Of the kernels as they will run.
        if (complete && !recorded.isEmpty()) {
            progress.searching(recorded.getLast(), done / all, left(begin, done, all));
            Optional<Choice> sizes = Recordings.search(backend, steps, recorded, inForce(policy), nanoTime, enough);
            complete = sizes.isPresent();
            policy = complete ? folder.save(origin, List.of(sizes.get())) : policy;
            done += cost(recorded.getLast());
        }
        if (complete && shapeMissing) {
            progress.searching(most, done / all, left(begin, done, all));
            backend.dispatch(inForce(policy));
            Optional<Choice> shape = StepShape.search(steps, most, nanoTime, enough);
            complete = shape.isPresent();
            policy = complete ? folder.save(origin, List.of(shape.get())) : policy;
        }
        return new Outcome(policy, found, complete);
    }

    private Chosen inForce(Policy policy) {
        try {
            return new Chosen(backend, policy);
        } catch (PolicyException e) {
            throw folder.refused(origin, e.getMessage());
        }
    }

    /** At the rate so far. */
    private Duration left(long begin, double done, double all) {
        long spent = nanoTime.getAsLong() - begin;
        return done == 0 ? Duration.ZERO : Duration.ofNanos((long) (spent / done * (all - done)));
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
