package io.moebius.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.Backend;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The embedded model answers its golden questions token for token. */
class DemoModelTest {

    private static final Path GOLDENS = Path.of("src/test/resources/demo-model");
    private static final Map<Activations, String> MODES =
            Map.of(Activations.SIXTEEN_BIT, "w8a16", Activations.EIGHT_BIT, "w8a8");

    @ParameterizedTest
    @EnumSource(Activations.class)
    void answersItsGoldenQuestions(Activations activations) {
        try (Backend backend = new CpuBackend(activations)) {
            Decoder decoder =
                    Transformer.load(Checkpoint.open(Path.of("src/main/resources/demo-model")), backend, 512, 512, fraction -> {});
            GreedyDecoding decoding = new GreedyDecoding(decoder, 512);
            assertThat(Golden.read(GOLDENS, MODES.get(activations))).hasSize(40).allSatisfy(golden -> assertThat(
                            decoding.continuation(golden.prompt(), golden.greedy().length))
                    .as("prompt %d", golden.id())
                    .containsExactly(golden.greedy()));
        }
    }
}
