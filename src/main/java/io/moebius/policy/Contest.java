package io.moebius.policy;

import io.moebius.backend.Site;
import io.moebius.backend.Variant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The variants of one site at one token count, the slower ones leaving round by round; the default stays to the end. */
final class Contest {

    /** A variant and what it took. */
    static final class Contender {
        final Variant variant;
        Samples samples = new Samples();

        Contender(Variant variant) {
            this.variant = variant;
        }
    }

    /** Gains below this share are no gains. */
    private static final double LEAST_GAIN = 0.02;

    private static final int FINALISTS = 2;

    /** Fewer pairs, however they agree, are not sure with 95 %. */
    static final int LEAST_SURE = 5;

    private final Site site;
    private final double boundMicros;
    private final Contender standing;
    private final List<Contender> all = new ArrayList<>();
    private List<Contender> left;
    /** Of the challenger's time to the default's, round by round of the final. */
    private final Samples ratios = new Samples();

    Contest(Site site, List<Variant> variants, double boundMicros) {
        this.site = site;
        this.boundMicros = boundMicros;
        variants.forEach(variant -> all.add(new Contender(variant)));
        standing = all.getFirst();
        left = new ArrayList<>(all);
    }

    List<Contender> left() {
        return left;
    }

    boolean decided() {
        return left.size() <= FINALISTS;
    }

    /** The final begins: what brought the finalists here may have been luck and counts no longer. */
    void begin() {
        left.forEach(contender -> contender.samples = new Samples());
    }

    /** @return false for the default, which stays */
    boolean remove(Contender contender) {
        return contender != standing && left.remove(contender) && all.remove(contender);
    }

    /** The fastest go on, one of {@code among} of them. */
    void thin(int among) {
        int most = Math.max(FINALISTS, Math.ceilDiv(left.size(), among));
        List<Contender> faster = new ArrayList<>(
                left.stream().sorted(Comparator.comparingDouble(c -> c.samples.median())).limit(most).toList());
        if (!faster.contains(standing)) {
            faster.set(faster.size() - 1, standing);
        }
        left = faster;
    }

    /** The finalists have run one after the other: what slowed one down for a while slowed the other, too. */
    void pair() {
        challenger().ifPresent(challenger -> ratios.add(challenger.samples.last() / standing.samples.last()));
    }

    /** Whether more pairs could make sure of what those so far only suggest. */
    boolean open() {
        return promising() && !sure();
    }

    private boolean promising() {
        return ratios.count() > 0 && ratios.interval().middle() < 1 - LEAST_GAIN;
    }

    private boolean sure() {
        return ratios.count() >= LEAST_SURE && ratios.interval().most() < 1;
    }

    private Optional<Contender> challenger() {
        return left.stream().filter(contender -> contender != standing).findFirst();
    }

    /** The challenger, if it surely beats the default, else the default. */
    Choice choice(int tokens) {
        return challenger()
                .filter(challenger -> promising() && sure())
                .map(challenger -> choice(tokens, challenger, ratios.interval().middle() * standing.samples.median()))
                .orElseGet(() -> choice(tokens, standing, standing.samples.median()));
    }

    private Choice choice(int tokens, Contender chosen, double nanos) {
        Contender second = all.stream()
                .filter(contender -> contender != chosen && contender.samples.count() > 0)
                .min(Comparator.comparingDouble(contender -> contender.samples.median()))
                .orElse(null);
        return new Choice(
                site, tokens, chosen.variant.name(), nanos / 1e3, standing.samples.median() / 1e3,
                second == null ? "" : second.variant.name(), second == null ? 0 : second.samples.median() / 1e3, boundMicros);
    }
}
