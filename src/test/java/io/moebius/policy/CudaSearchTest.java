package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Dispatch;
import io.moebius.backend.KernelCall;
import io.moebius.backend.KvCache;
import io.moebius.backend.Site;
import io.moebius.backend.Variant;
import io.moebius.backend.cuda.CudaBackend;
import io.moebius.backend.cuda.EmulatedDriver;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The variants of the CUDA kernels, over the emulated driver: their times mean nothing there, their bits do. */
class CudaSearchTest {

    private static final Path FIXTURES = Path.of("src/test/resources/fixtures");
    private static final int MAX_TOKENS = 32;

    @Test
    void everyVariantGivesTheBitsOfTheDefault() {
        try (CudaBackend backend = EmulatedDriver.backend(Activations.EIGHT_BIT)) {
            Steps steps = steps(backend, "stories260k-fp8-static");
            for (Steps.Phase phase : Search.PURE) {
                int tokens = phase == Steps.Phase.DECODE ? 3 : 24;
                backend.dispatch(call -> call.run(backend.defaultVariant(call.site(), call.tokens())));
                long expected = fingerprint(steps, phase, tokens);
                Set<String> tried = new HashSet<>();
                for (int i = 0, most = 1; i < most; i++) {
                    Nth nth = new Nth(backend, i, tried);
                    backend.dispatch(nth);
                    assertThat(fingerprint(steps, phase, tokens)).as("variants %d of %s", i, phase).isEqualTo(expected);
                    most = nth.most;
                }
                assertThat(tried).hasSizeGreaterThan(4);
            }
        }
    }

    @Test
    void theSearchMeasuresEverySite() {
        try (CudaBackend backend = EmulatedDriver.backend(Activations.SIXTEEN_BIT)) {
            Steps steps = steps(backend, "a-mixtral-window");
            Search.Found found =
                    new Search(backend, steps, System::nanoTime, () -> false).at(2, Map.of()).orElseThrow();
            assertThat(found.refused()).isZero();
            Set<String> kernels = new TreeSet<>(found.choices().stream().map(choice -> choice.site().kernel()).toList());
            assertThat(kernels).containsExactly("attend", "experts", "project");
        }
    }

    private static long fingerprint(Steps steps, Steps.Phase phase, int tokens) {
        steps.run(phase, tokens);
        return steps.fingerprint();
    }

    private static Steps steps(CudaBackend backend, String fixture) {
        Decoder decoder = Transformer.load(
                Checkpoint.open(FIXTURES.resolve(fixture)), backend, MAX_TOKENS, MAX_TOKENS, fraction -> {});
        KvCache cache = backend.kvCache(decoder.kvShape(), 64);
        return new ModelSteps(decoder, cache, MAX_TOKENS);
    }

    /** The first and second step of a size run call by call, later ones as they were recorded. */
    @Test
    void everyRecordedSizeGivesTheBitsOfTheDefault() {
        try (CudaBackend backend = EmulatedDriver.backend(Activations.EIGHT_BIT)) {
            Steps steps = steps(backend, "stories260k-fp8-static");
            for (int sequences : new int[] {5, 9}) {
                Map<String, Set<Integer>> rows = new TreeMap<>();
                Set<Long> fingerprints = new HashSet<>();
                for (Variant sizes : backend.recordedSizes()) {
                    backend.dispatch(new Padded(backend, sizes, rows.computeIfAbsent(sizes.name(), name -> new TreeSet<>())));
                    for (int i = 0; i < 3; i++) {
                        fingerprints.add(fingerprint(steps, Steps.Phase.DECODE, sequences));
                    }
                }
                assertThat(fingerprints).hasSize(1);
                assertThat(rows).isEqualTo(sequences == 5
                        ? Map.of("1 per doubling", Set.of(8), "2 per doubling", Set.of(6), "4 per doubling", Set.of(5))
                        : Map.of("1 per doubling", Set.of(16), "2 per doubling", Set.of(12), "4 per doubling", Set.of(10)));
            }
        }
    }

    private record Padded(CudaBackend backend, Variant sizes, Set<Integer> rows) implements Dispatch {
        @Override
        public void run(KernelCall call) {
            rows.add(call.tokens());
            call.run(backend.defaultVariant(call.site(), call.tokens()));
        }

        @Override
        public Optional<Variant> recordedSizes() {
            return Optional.of(sizes);
        }
    }

    /** Runs each call in variant {@code index} of its site, or its last one. */
    private static final class Nth implements Dispatch {
        private final CudaBackend backend;
        private final int index;
        private final Set<String> tried;
        private int most;

        Nth(CudaBackend backend, int index, Set<String> tried) {
            this.backend = backend;
            this.index = index;
            this.tried = tried;
        }

        @Override
        public void run(KernelCall call) {
            Site site = call.site();
            List<Variant> variants = backend.variants(site, call.tokens());
            most = Math.max(most, variants.size());
            Variant variant = variants.get(Math.min(index, variants.size() - 1));
            tried.add(variant.name());
            call.run(variant);
        }
    }
}
