package io.moebius.policy;

import io.moebius.backend.Dispatch;
import io.moebius.backend.KernelCall;
import io.moebius.backend.Roofline;
import io.moebius.backend.Site;
import io.moebius.backend.Tunable;
import io.moebius.backend.Variant;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongSupplier;

/** One measured step: which variant each site runs in, and the time that all its calls took. */
final class Trial implements Dispatch {

    private final LongSupplier nanoTime;
    private final Function<KernelCall, Variant> variants;
    private final Map<Site, Long> nanos = new TreeMap<>();
    private final Map<Site, double[]> work = new TreeMap<>();
    private long fingerprint;
    private long total;

    /** Runs the step; sites that {@code variants} leaves out run in their defaults. */
    static Trial run(
            Tunable backend, Steps steps, Steps.Phase phase, int tokens, Map<Site, Variant> variants, LongSupplier nanoTime) {
        return run(backend, steps, phase, tokens, call -> {
            Variant variant = variants.get(call.site());
            return variant == null ? backend.defaultVariant(call.site(), call.tokens()) : variant;
        }, nanoTime);
    }

    /** Runs the step, each call in the variant that {@code variants} gives it. */
    static Trial run(
            Tunable backend, Steps steps, Steps.Phase phase, int tokens, Function<KernelCall, Variant> variants, LongSupplier nanoTime) {
        Trial trial = new Trial(variants, nanoTime);
        backend.dispatch(trial);
        long begin = nanoTime.getAsLong();
        steps.run(phase, tokens);
        trial.total = nanoTime.getAsLong() - begin;
        trial.fingerprint = steps.fingerprint();
        return trial;
    }

    /** Runs the step as service does, its calls not timed one by one; returns the nanoseconds of the whole. */
    static long whole(Tunable backend, Steps steps, Steps.Phase phase, int tokens, Dispatch dispatch, LongSupplier nanoTime) {
        backend.dispatch(dispatch);
        for (int i = 0; i < backend.warmUpSteps(); i++) {
            steps.run(phase, tokens);
        }
        long begin = nanoTime.getAsLong();
        steps.run(phase, tokens);
        return nanoTime.getAsLong() - begin;
    }

    private Trial(Function<KernelCall, Variant> variants, LongSupplier nanoTime) {
        this.variants = variants;
        this.nanoTime = nanoTime;
    }

    @Override
    public void run(KernelCall call) {
        Variant variant = variants.apply(call);
        long begin = nanoTime.getAsLong();
        call.run(variant);
        nanos.merge(call.site(), nanoTime.getAsLong() - begin, Long::sum);
        double[] done = work.computeIfAbsent(call.site(), site -> new double[2]);
        done[0] += call.bytes();
        done[1] += call.flops();
    }

    @Override
    public boolean timesCalls() {
        return true;
    }

    /** The time of every site that the step had. */
    Map<Site, Long> nanos() {
        return nanos;
    }

    /** The least time for all calls of {@code site} on a machine of that roofline. */
    double boundMicros(Site site, Roofline roofline) {
        return 1e6 * roofline.seconds(work.get(site)[0], work.get(site)[1]);
    }

    long fingerprint() {
        return fingerprint;
    }

    /** Of the whole step. */
    long total() {
        return total;
    }
}
