package io.moebius.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.cuda.EmulatedDriver;
import io.moebius.backend.reference.RoundedReference;
import io.moebius.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The fixtures' shorter prompts through the CUDA kernels, in emulation, against float64 goldens. Differences are parts of the logits'
 * root mean square. Activations are bf16 between kernels, which moves logits by 1 to 4 %; now and then it makes a router choose another
 * expert. With 8-bit activations the same rounding flips codes that are steps of 6 %. How much that is differs by fixture, from 0.06 to
 * 0.35, so the reference says it, computed with the same rounding. An index, scale or layout that is wrong gives differences of 100 %
 * and more.
 */
class CudaGoldenTest {

    private static final int MAX_TOKENS = 32;
    private static final int LONGEST_PROMPT = 9;
    private static final int PROMPTS = 3;
    private static final int GREEDY = 4;
    /** Float32 weights become bf16, too, which the reference does not follow: 1.7 measured for those, 0.6 to 1.4 for others. */
    private static final double MORE = 2;

    static Stream<Path> fixtures() {
        return Fixtures.all();
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void weightOnlyLogitsAgree(Path folder) {
        agree(folder, Activations.SIXTEEN_BIT, "w8a16");
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void logitsOfQuantisedActivationsAgree(Path folder) {
        agree(folder, Activations.EIGHT_BIT, "w8a8");
    }

    private static void agree(Path folder, Activations activations, String mode) {
        List<Golden> goldens = Golden.read(folder, mode).stream()
                .filter(golden -> golden.prompt().length <= LONGEST_PROMPT)
                .limit(PROMPTS)
                .toList();
        if (goldens.isEmpty()) {
            return;
        }
        try (Backend kernels = EmulatedDriver.backend(activations);
                Backend rounded = RoundedReference.of(activations)) {
            GreedyDecoding decoding = load(folder, kernels);
            List<Double> differences = differences(goldens, decoding);
            assertThat(median(differences))
                    .as("median of %s", differences)
                    .isLessThan(MORE * median(differences(goldens, load(folder, rounded))));
            assertThat(differences).allSatisfy(difference -> assertThat(difference).isLessThan(0.5));
            if (folder.getFileName().toString().startsWith("stories") && activations == Activations.SIXTEEN_BIT) {
                for (Golden golden : goldens) {
                    assertThat(decoding.continuation(golden.prompt(), GREEDY)).containsExactly(Arrays.copyOf(golden.greedy(), GREEDY));
                }
            }
        }
    }

    private static GreedyDecoding load(Path folder, Backend backend) {
        return new GreedyDecoding(Transformer.load(Checkpoint.open(folder), backend, MAX_TOKENS, MAX_TOKENS, fraction -> {}), MAX_TOKENS);
    }

    private static List<Double> differences(List<Golden> goldens, GreedyDecoding decoding) {
        return goldens.stream().flatMap(golden -> golden.differences(decoding.prompt(golden.prompt())).stream()).toList();
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
    }
}
