package io.moebius.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.backend.reference.ReferenceBackend;
import io.moebius.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every fixture on every backend against logits and greedy tokens that an independent implementation computed. */
class GoldenTest {

    private static final int MAX_TOKENS = 512;

    private static final Map<String, Function<Activations, Backend>> BACKENDS =
            Map.of("reference", ReferenceBackend::new, "cpu", CpuBackend::new);

    private static final Pattern TRAINED = Pattern.compile("trained-.*|stories.*");

    static Stream<Path> fixtures() {
        return Fixtures.all();
    }

    static Stream<Arguments> fixturesAndBackends() {
        return Fixtures.all().flatMap(f -> BACKENDS.keySet().stream().map(b -> Arguments.of(f, b)));
    }

    @ParameterizedTest
    @MethodSource("fixturesAndBackends")
    void weightOnlyLogitsAndGreedyTokensAgree(Path folder, String backend) {
        try (Backend kernels = BACKENDS.get(backend).apply(Activations.SIXTEEN_BIT)) {
            GreedyDecoding decoding = load(folder, kernels);
            for (Golden golden : Golden.read(folder, "w8a16")) {
                assertThat(differences(golden, decoding.prompt(golden.prompt())))
                        .allSatisfy(difference -> assertThat(difference).isLessThan(1e-3));
                if (greedyIsStable(golden)) {
                    greedyTokensAgree(golden, decoding);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void quantisedActivationsAgreeOnTheReference(Path folder) {
        try (Backend kernels = new ReferenceBackend(Activations.EIGHT_BIT)) {
            GreedyDecoding decoding = load(folder, kernels);
            List<Double> differences = new ArrayList<>();
            for (Golden golden : Golden.read(folder, "w8a8")) {
                differences.addAll(differences(golden, decoding.prompt(golden.prompt())));
                if (greedyIsStable(golden)) {
                    greedyTokensAgree(golden, decoding);
                }
            }
            within(differences, 1e-3, 0.95);
            within(differences, 1.5, 0.99);
        }
    }

    /**
     * In float32 an input now and then rounds to the other e4m3 neighbour, a step of 6 %, which spreads to all later positions of
     * a prompt. With scales per token it is more than now and then: the first layer's inputs are products of bf16 numbers, whose
     * ratio to the largest is often an exact tie between two codes, which the last bit decides: the independent implementation
     * itself, run in float32, agrees with its float64 in 53 %, 35 % and 82 % of the positions of the three fixtures that scale
     * tokens or groups. So token for token only trained weights are compared, whose answers do not hang on one rounding.
     */
    @ParameterizedTest
    @MethodSource("fixtures")
    void quantisedActivationsStayNearOnTheCpuWhereRoundingsFlip(Path folder) {
        try (Backend kernels = new CpuBackend(Activations.EIGHT_BIT)) {
            GreedyDecoding decoding = load(folder, kernels);
            List<Double> differences = new ArrayList<>();
            for (Golden golden : Golden.read(folder, "w8a8")) {
                differences.addAll(differences(golden, decoding.prompt(golden.prompt())));
                if (greedyIsStable(golden) && TRAINED.matcher(folder.getFileName().toString()).matches()) {
                    greedyTokensAgree(golden, decoding);
                }
            }
            within(differences, 1.5, 0.95);
        }
    }

    /**
     * Counted over all fixtures: their prompts begin with the same token, so one rounding that flips there moves every position of a
     * fixture. With AVX2 and plain x86-64 that is so for one of them, whose first position differs by 0.28, and the others agree.
     */
    @Test
    void quantisedActivationsAgreeOnTheCpuWhereNoRoundingFlips() {
        List<Double> differences = new ArrayList<>();
        fixtures().forEach(folder -> {
            try (Backend kernels = new CpuBackend(Activations.EIGHT_BIT)) {
                GreedyDecoding decoding = load(folder, kernels);
                for (Golden golden : Golden.read(folder, "w8a8")) {
                    differences.addAll(differences(golden, decoding.prompt(golden.prompt())));
                }
            }
        });
        within(differences, 1e-3, 0.35);
    }

    private static boolean greedyIsStable(Golden golden) {
        return golden.greedySame() == golden.greedy().length;
    }

    private static void greedyTokensAgree(Golden golden, GreedyDecoding decoding) {
        assertThat(decoding.continuation(golden.prompt(), golden.greedy().length))
                .as("greedy tokens of prompt %d", golden.id())
                .containsExactly(golden.greedy());
    }

    private static void within(List<Double> differences, double bound, double share) {
        assertThat(differences.stream().filter(d -> d < bound).count())
                .as("positions within %s of %d: %s", bound, differences.size(), differences)
                .isGreaterThanOrEqualTo((long) (share * differences.size()));
    }

    private static GreedyDecoding load(Path folder, Backend backend) {
        Decoder decoder = Transformer.load(Checkpoint.open(folder), backend, MAX_TOKENS, MAX_TOKENS, fraction -> {});
        return new GreedyDecoding(decoder, MAX_TOKENS);
    }

    /** The largest difference at every position that the golden has values for. */
    private static List<Double> differences(Golden golden, float[][] logits) {
        List<Double> differences = new ArrayList<>();
        golden.logits().forEach((position, expected) -> differences.add(IntStream.range(0, expected.length)
                .mapToDouble(i -> Math.abs(expected[i] - logits[position][i]))
                .max()
                .orElseThrow()));
        golden.top().forEach((position, expected) -> {
            if (!golden.logits().containsKey(position)) {
                differences.add(expected.entrySet().stream()
                        .mapToDouble(entry -> Math.abs(entry.getValue() - logits[position][entry.getKey()]))
                        .max()
                        .orElseThrow());
            }
        });
        return differences;
    }
}
