package io.moebius.policy;

import io.moebius.backend.Dispatch;
import io.moebius.backend.KernelCall;
import io.moebius.backend.Roofline;
import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/** A machine whose kernels take the time that a test gives them, on a clock of its own. */
final class ToyMachine implements Tunable, Steps {

    /**
     * @param nanos  of one call and token
     * @param burden nanoseconds of a step outside of the call
     * @param wrong  whether the results differ from the default's
     */
    record Way(String name, long nanos, long burden, boolean wrong) implements Variant {}

    private record Multiple(int of) implements Variant {
        @Override
        public String name() {
            return "multiples of " + of;
        }

        int rows(int sequences) {
            return Math.ceilDiv(sequences, of) * of;
        }
    }

    private record LaterDefault(int tokens, String variant) {}

    private final Map<Site, List<Variant>> sites = new LinkedHashMap<>();
    private final Map<Site, LaterDefault> laterDefaults = new LinkedHashMap<>();
    private final SplittableRandom random = new SplittableRandom(7);
    private final double noise;
    private Dispatch dispatch = call -> call.run(defaultVariant(call.site(), call.tokens()));
    private long clock;
    private long fingerprint;
    private final List<Phase> phases = new ArrayList<>();
    private Phase wrongIn;
    private long burden;
    private int changeAfter = Integer.MAX_VALUE;
    private Map<String, Long> changed = Map.of();
    private boolean mixes;
    private long stepNanos;
    private long promptTokenNanos;
    private List<Variant> recordedSizes = List.of();
    private int readTokens;
    private int mostTokens = Integer.MAX_VALUE;
    private int mostSequences = Integer.MAX_VALUE;
    private IntUnaryOperator variantsAt = tokens -> Integer.MAX_VALUE;

    /** @param noise largest share that a time is off by */
    ToyMachine(double noise) {
        this.noise = noise;
    }

    static Site site(String kernel) {
        return new Site(kernel, "64 x 64");
    }

    /** A kernel whose variants v0, v1, ... take {@code nanos}. */
    ToyMachine kernel(String kernel, long... nanos) {
        List<Variant> ways = new ArrayList<>();
        for (long each : nanos) {
            ways.add(new Way("v" + ways.size(), each, 0, false));
        }
        sites.put(site(kernel), ways);
        return this;
    }

    ToyMachine variant(String kernel, Way way) {
        sites.get(site(kernel)).add(way);
        return this;
    }

    /** Mixed steps take {@code stepNanos} and {@code promptTokenNanos} for each token; without this they cannot be run. */
    ToyMachine mixing(long stepNanos, long promptTokenNanos) {
        mixes = true;
        this.stepNanos = stepNanos;
        this.promptTokenNanos = promptTokenNanos;
        return this;
    }

    /** Decode steps are filled up to a multiple of each of these numbers, of the first by default. */
    ToyMachine recording(int... multiples) {
        recordedSizes = IntStream.of(multiples).<Variant>mapToObj(Multiple::new).toList();
        return this;
    }

    /** Each call takes as long as {@code tokens} more: it reads weights first. */
    ToyMachine reading(int tokens) {
        readTokens = tokens;
        return this;
    }

    /** Larger steps are not possible. */
    ToyMachine upTo(int tokens, int sequences) {
        mostTokens = tokens;
        mostSequences = sequences;
        return this;
    }

    /** Of a call of so many tokens no more than the first {@code variants} can be run. */
    ToyMachine limiting(IntUnaryOperator variants) {
        variantsAt = variants;
        return this;
    }

    /** After {@code steps} steps variants of these names take other times. */
    ToyMachine changing(int steps, Map<String, Long> nanos) {
        changeAfter = steps;
        changed = nanos;
        return this;
    }

    /** Variants that are wrong are so in steps of {@code phase} alone. */
    ToyMachine wrongOnlyIn(Phase phase) {
        wrongIn = phase;
        return this;
    }

    /** From {@code tokens} tokens on another variant is the default. */
    ToyMachine defaultFrom(String kernel, int tokens, String variant) {
        laterDefaults.put(site(kernel), new LaterDefault(tokens, variant));
        return this;
    }

    int steps() {
        return phases.size();
    }

    /** Of all steps so far. */
    List<Phase> phases() {
        return phases;
    }

    long clock() {
        return clock;
    }

    @Override
    public String build() {
        return "b1";
    }

    @Override
    public String device() {
        return "Toy CPU";
    }

    @Override
    public int cores() {
        return 2;
    }

    @Override
    public Optional<Roofline> roofline() {
        return Optional.of(new Roofline(1, 1e6, "toy"));
    }

    @Override
    public Variant defaultVariant(Site site, int tokens) {
        LaterDefault later = laterDefaults.get(site);
        return sites.get(site).stream()
                .filter(variant -> later != null && tokens >= later.tokens() && variant.name().equals(later.variant()))
                .findFirst()
                .orElse(sites.get(site).getFirst());
    }

    @Override
    public List<Variant> variants(Site site, int tokens) {
        return sites.get(site).stream().limit(variantsAt.applyAsInt(tokens)).toList();
    }

    @Override
    public List<Variant> recordedSizes() {
        return recordedSizes;
    }

    @Override
    public void dispatch(Dispatch next) {
        dispatch = next;
    }

    @Override
    public boolean possible(Phase phase, int tokens) {
        return tokens <= mostTokens && switch (phase) {
            case DECODE -> tokens <= mostSequences;
            case PREFILL -> true;
            case MIXED -> mixes;
        };
    }

    @Override
    public void fillCache() {
        run(Phase.PREFILL, 1);
    }

    @Override
    public void run(Phase phase, int tokens) {
        phases.add(phase);
        fingerprint = 31L * tokens + phase.ordinal();
        if (phase == Phase.MIXED) {
            clock += (long) ((stepNanos + promptTokenNanos * tokens) * (1 + noise * random.nextDouble()));
            return;
        }
        boolean recorded = phase == Phase.DECODE && !recordedSizes.isEmpty();
        int rows = recorded ? ((Multiple) dispatch.recordedSizes().orElse(recordedSizes.getFirst())).rows(tokens) : tokens;
        for (int layer = 0; layer < 2; layer++) {
            sites.keySet().forEach(site -> dispatch.run(new Call(site, rows)));
        }
        // What kernels leave to others is seen by whole steps alone.
        clock += burden;
        burden = 0;
    }

    @Override
    public long fingerprint() {
        return fingerprint;
    }

    private final class Call implements KernelCall {

        private final Site site;
        private final int tokens;

        Call(Site site, int tokens) {
            this.site = site;
            this.tokens = tokens;
        }

        @Override
        public Site site() {
            return site;
        }

        @Override
        public int tokens() {
            return tokens;
        }

        @Override
        public double bytes() {
            return 0;
        }

        /** As many as the machine does in 10 microseconds for each token. */
        @Override
        public double flops() {
            return 10.0 * tokens;
        }

        @Override
        public void run(Variant variant) {
            Way way = (Way) variant;
            long nanos = steps() > changeAfter ? changed.getOrDefault(way.name(), way.nanos()) : way.nanos();
            clock += (long) (nanos * (tokens + readTokens) * (1 + noise * random.nextDouble()));
            if (way.wrong() && (wrongIn == null || wrongIn == phases.getLast())) {
                fingerprint += 1;
            }
            burden += way.burden();
        }
    }
}
