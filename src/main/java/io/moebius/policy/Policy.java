package io.moebius.policy;

import io.moebius.backend.Site;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The choices for one model on one machine.
 *
 * @param choices one for a site and token count, in their order
 */
public record Policy(Origin origin, List<Choice> choices) {

    /** This with {@code newer} choices, which come before those of the same site and token count. */
    public Policy with(Collection<Choice> newer) {
        Map<Site, Map<Integer, Choice>> merged = new TreeMap<>();
        choices.forEach(choice -> merged.computeIfAbsent(choice.site(), s -> new TreeMap<>()).put(choice.tokens(), choice));
        newer.forEach(choice -> merged.computeIfAbsent(choice.site(), s -> new TreeMap<>()).put(choice.tokens(), choice));
        return new Policy(origin, merged.values().stream().flatMap(ofSite -> ofSite.values().stream()).toList());
    }

    public Optional<Choice> choice(Site site, int tokens) {
        return choices.stream().filter(choice -> choice.tokens() == tokens && choice.site().equals(site)).findFirst();
    }

    public Set<Site> sites() {
        return choices.stream().map(Choice::site).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Those of {@code sites} that have no choice at one of the token counts. */
    public List<Site> missing(Collection<Site> sites, Collection<Integer> tokenCounts) {
        return sites.stream().filter(site -> tokenCounts.stream().anyMatch(tokens -> choice(site, tokens).isEmpty())).toList();
    }

    /** By site and token count, without what is chosen for whole steps. */
    Map<Site, TreeMap<Integer, Choice>> ofKernels() {
        Map<Site, TreeMap<Integer, Choice>> sites = bySite();
        sites.keySet().removeAll(Set.of(StepShape.SITE, Recordings.SITE));
        return sites;
    }

    /** By site and token count. */
    Map<Site, TreeMap<Integer, Choice>> bySite() {
        return choices.stream().collect(Collectors.groupingBy(
                Choice::site, TreeMap::new, Collectors.toMap(Choice::tokens, Function.identity(), (a, b) -> b, TreeMap::new)));
    }
}
