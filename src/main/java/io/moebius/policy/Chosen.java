package io.moebius.policy;

import io.moebius.backend.Dispatch;
import io.moebius.backend.KernelCall;
import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Runs each call in the variant that a policy chose for its site at the nearest token count, if it is near enough to what was measured, else
 * in the default.
 */
public final class Chosen implements Dispatch {

    private final Tunable backend;
    /** Null where the default was kept: that of the call's own tokens, which may be another than that of the nearest count. */
    private final Map<Site, TreeMap<Integer, Variant>> variants = new HashMap<>();
    private final Optional<Variant> recordedSizes;

    /** @throws PolicyException if the backend has no such variant */
    public Chosen(Tunable backend, Policy policy) {
        this.backend = backend;
        this.recordedSizes = Recordings.chosen(backend, policy);
        policy.choices().stream().filter(choice -> choice.site().equals(StepShape.SITE)).forEach(StepShape::budget);
        policy.ofKernels().forEach((site, choices) -> {
            TreeMap<Integer, Variant> byTokens = new TreeMap<>();
            choices.forEach((tokens, choice) -> {
                Variant variant = variant(backend, site, tokens, choice.variant());
                byTokens.put(tokens, variant.equals(backend.defaultVariant(site, tokens)) ? null : variant);
            });
            variants.put(site, byTokens);
        });
    }

    /** @throws PolicyException if the backend has no such variant */
    static Variant variant(Tunable backend, Site site, int tokens, String name) {
        return backend.variants(site, tokens).stream()
                .filter(known -> known.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new PolicyException("%s has no variant \"%s\" at %d tokens".formatted(site, name, tokens)));
    }

    @Override
    public void run(KernelCall call) {
        call.run(looksFurtherBack(call) ? backend.defaultVariant(call.site(), call.tokens()) : variant(call.site(), call.tokens()));
    }

    /** Than twice as far as a decode of a search, or a prefill of so many tokens. */
    private static boolean looksFurtherBack(KernelCall call) {
        return call.context() > Math.max(2 * Steps.MOST_CONTEXT, call.tokens());
    }

    @Override
    public Optional<Variant> recordedSizes() {
        return recordedSizes;
    }

    Variant variant(Site site, int tokens) {
        TreeMap<Integer, Variant> byTokens = variants.get(site);
        Variant chosen = byTokens == null ? null : nearest(byTokens, tokens);
        return chosen == null ? backend.defaultVariant(site, tokens) : chosen;
    }

    /** The nearest by ratio: 6 tokens are as far from 4 as 9. Null where none holds for so many. */
    private static Variant nearest(TreeMap<Integer, Variant> byTokens, int tokens) {
        Map.Entry<Integer, Variant> below = byTokens.floorEntry(tokens);
        Map.Entry<Integer, Variant> above = byTokens.ceilingEntry(tokens);
        boolean up = below == null || above != null && (long) tokens * tokens > (long) below.getKey() * above.getKey();
        Map.Entry<Integer, Variant> nearest = up ? above : below;
        return tokens >= fewest(nearest.getKey()) && tokens <= most(nearest.getKey()) ? nearest.getValue() : null;
    }

    /** To which a choice for {@code tokens} holds: half way, by ratio, to half as many. */
    static int fewest(int tokens) {
        return (int) (tokens / Math.sqrt(2)) + 1;
    }

    /** Up to which it holds: half way to twice as many. */
    static int most(int tokens) {
        return (int) (tokens * Math.sqrt(2));
    }
}
