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
import java.util.Set;
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
                long expected = steps.run(phase, tokens);
                Set<String> tried = new HashSet<>();
                for (int i = 0, most = 1; i < most; i++) {
                    Nth nth = new Nth(backend, i, tried);
                    backend.dispatch(nth);
                    assertThat(steps.run(phase, tokens)).as("variants %d of %s", i, phase).isEqualTo(expected);
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

    private static Steps steps(CudaBackend backend, String fixture) {
        Decoder decoder = Transformer.load(
                Checkpoint.open(FIXTURES.resolve(fixture)), backend, MAX_TOKENS, MAX_TOKENS, fraction -> {});
        KvCache cache = backend.kvCache(decoder.kvShape(), 64);
        return new ModelSteps(decoder, cache, MAX_TOKENS);
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
