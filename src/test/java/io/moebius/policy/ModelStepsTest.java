package io.moebius.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.backend.Activations;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.model.Decoder;
import io.moebius.model.Transformer;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ModelStepsTest {

    private static final int MOST_TOKENS = 64;
    private static final int BLOCKS = 10;

    private final CpuBackend backend = new CpuBackend(Activations.SIXTEEN_BIT);
    private final Decoder decoder = Transformer.load(
            Checkpoint.open(Path.of("src/test/resources/fixtures/a-llama")), backend, MOST_TOKENS, MOST_TOKENS, loaded -> {});
    private final ModelSteps steps = new ModelSteps(decoder, backend.kvCache(decoder.kvShape(), BLOCKS), MOST_TOKENS);

    @AfterEach
    void close() {
        backend.close();
    }

    private long decode() {
        steps.run(Steps.Phase.DECODE, 3);
        return steps.fingerprint();
    }

    @Test
    void decodesLookBackOnThePromptThatFillsTheCache() {
        long amongZeros = decode();
        steps.fillCache();
        assertThat(decode()).isNotEqualTo(amongZeros).isEqualTo(decode());
    }

    @Test
    void prefillsLeaveTheCacheAsItWasFilled() {
        steps.fillCache();
        long before = decode();
        steps.run(Steps.Phase.PREFILL, 20);
        assertThat(decode()).isEqualTo(before);
    }

    @Test
    void decodesOfAsManySequencesAsHaveABlockBesideThePromptArePossible() {
        assertThat(steps.possible(Steps.Phase.DECODE, 6)).isTrue();
        assertThat(steps.possible(Steps.Phase.DECODE, 7)).isFalse();
    }
}
