package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Site;
import io.moebius.backend.Variant;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.cpu.InstructionSet;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.model.Transformer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * The search against trying every variant at length, on a real model: ./mvnw test -Dtest=ExhaustiveComparison
 * -Dmoebius.policy.model=FOLDER, and -Dmoebius.policy.instructions=AVX2 for another build of the kernels, -Dmoebius.policy.tokens=1,2,4
 * for these token counts alone. Prints whole steps with the defaults, with what the search chose, and with what every variant measured
 * alike chose; shares are of pairs of steps run one after the other.
 */
class ExhaustiveComparison {

    private static final int MOST_TOKENS = 512;
    private static final List<Integer> TOKENS = System.getProperty("moebius.policy.tokens") == null
            ? Search.tokenCounts(MOST_TOKENS)
            : Arrays.stream(System.getProperty("moebius.policy.tokens").split(",")).map(Integer::valueOf).toList();
    private static final int SEQUENCES = 64;
    private static final int SAMPLES = 5;
    private static final int PAIRS = 15;

    @Test
    void theSearchComesWithinThreePercent() {
        InstructionSet set = InstructionSet.valueOf(
                System.getProperty("moebius.policy.instructions", InstructionSet.best().name()));
        try (CpuBackend backend =
                new CpuBackend(Activations.SIXTEEN_BIT, set, Runtime.getRuntime().availableProcessors())) {
            Transformer decoder = Transformer.load(
                    Checkpoint.open(Path.of(System.getProperty("moebius.policy.model"))), backend, MOST_TOKENS, SEQUENCES, loaded -> {});
            backend.settle();
            ModelSteps steps = new ModelSteps(decoder, backend.kvCache(decoder.kvShape(), 512), SEQUENCES);
            steps.fillCache();
            long begin = System.nanoTime();
            Map<Integer, Map<Site, Variant>> searched = new HashMap<>();
            Search search = new Search(backend, steps, System::nanoTime, () -> false);
            Map<Integer, Search.Found> found = new TreeMap<>();
            TOKENS.forEach(tokens -> found.put(tokens, search.at(tokens, Map.of()).orElseThrow()));
            for (int tokens : TOKENS) {
                Map<Site, Variant> variants = new HashMap<>();
                search.again(tokens, found.get(tokens), Map.of()).choices().forEach(choice -> variants.put(
                        choice.site(), Chosen.variant(backend, choice.site(), tokens, choice.variant())));
                searched.put(tokens, variants);
            }
            System.out.printf("search: %d s on %s%n", Duration.ofNanos(System.nanoTime() - begin).toSeconds(), backend.description());
            System.out.println("tokens step     default ms  searched ms  exhaustive ms   gain  of exhaustive");
            double logs = 0;
            int compared = 0;
            for (int tokens : TOKENS) {
                Map<Site, Variant> exhaustive = exhaustive(backend, steps, tokens);
                searched.get(tokens).forEach((site, variant) -> System.out.printf("%s: %s, %s%n", site, variant.name(), exhaustive.get(site).name()));
                for (Steps.Phase phase : Search.PURE) {
                    if (steps.possible(phase, tokens)) {
                        logs += Math.log(compare(backend, steps, phase, tokens, searched.get(tokens), exhaustive));
                        compared++;
                    }
                }
            }
            assertThat(Math.exp(logs / compared)).as("geometric mean").isGreaterThan(0.97);
        }
    }

    private static Map<Site, Variant> exhaustive(CpuBackend backend, Steps steps, int tokens) {
        Steps.Phase phase = Search.phase(steps, tokens);
        Map<Site, List<Variant>> variants = new HashMap<>();
        Trial.run(backend, steps, phase, tokens, Map.of(), System::nanoTime).nanos().keySet()
                .forEach(site -> variants.put(site, backend.variants(site, tokens)));
        int most = variants.values().stream().mapToInt(List::size).max().orElseThrow();
        Map<Site, Map<Variant, Samples>> samples = new HashMap<>();
        for (int i = 0; i < SAMPLES * most; i++) {
            int turn = i;
            Map<Site, Variant> now = new HashMap<>();
            variants.forEach((site, all) -> now.put(site, all.get(turn % all.size())));
            Trial.run(backend, steps, phase, tokens, now, System::nanoTime).nanos().forEach((site, nanos) -> samples
                    .computeIfAbsent(site, s -> new HashMap<>())
                    .computeIfAbsent(now.get(site), v -> new Samples())
                    .add(nanos));
        }
        Map<Site, Variant> best = new HashMap<>();
        samples.forEach((site, all) -> best.put(site, all.entrySet().stream()
                .min(Comparator.comparingDouble(each -> each.getValue().median()))
                .orElseThrow()
                .getKey()));
        return best;
    }

    /** @return the searched policy's speed as a share of the exhaustive one's: all of it where both chose the same */
    private static double compare(
            CpuBackend backend, Steps steps, Steps.Phase phase, int tokens, Map<Site, Variant> searched, Map<Site, Variant> exhaustive) {
        List<Map<Site, Variant>> policies = List.of(Map.of(), searched, exhaustive);
        List<Samples> samples = List.of(new Samples(), new Samples(), new Samples());
        Samples gains = new Samples();
        Samples shares = new Samples();
        for (int round = 0; round < PAIRS; round++) {
            double[] nanos = new double[policies.size()];
            for (int i = 0; i < policies.size(); i++) {
                int turn = (round + i) % policies.size();
                nanos[turn] = Trial.run(backend, steps, phase, tokens, policies.get(turn), System::nanoTime).total();
                samples.get(turn).add(nanos[turn]);
            }
            gains.add(nanos[0] / nanos[1]);
            shares.add(nanos[2] / nanos[1]);
        }
        double share = searched.equals(exhaustive) ? 1 : shares.interval().middle();
        System.out.printf(Locale.ROOT, "%6d %-8s %10.2f %12.2f %14.2f %5.2fx %13.1f %% (%.1f to %.1f)%n",
                tokens, phase.name().toLowerCase(Locale.ROOT), samples.get(0).median() / 1e6, samples.get(1).median() / 1e6,
                samples.get(2).median() / 1e6, gains.interval().middle(), 100 * share, 100 * shares.interval().least(), 100 * shares.interval().most());
        return share;
    }
}
