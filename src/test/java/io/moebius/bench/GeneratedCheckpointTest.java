package io.moebius.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.Activations;
import io.moebius.backend.Weight;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GeneratedCheckpointTest {

    private static final Shape SHAPE = CheckpointGeneratorTest.SMALL;

    @ParameterizedTest
    @EnumSource(Layout.class)
    void isTheCheckpointThatTheGeneratorWrites(Layout layout, @TempDir Path parent) throws IOException {
        long bytes = new CheckpointGenerator(SHAPE, layout, 1).write(parent.resolve("model"));
        Checkpoint written = Checkpoint.open(parent.resolve("model"));
        Checkpoint generated = new GeneratedCheckpoint(SHAPE, layout, 1);
        assertThat(generated.config()).isEqualTo(written.config());
        assertThat(generated.weightBytes()).isEqualTo(bytes);
        for (String name : List.of("model.layers.1.self_attn.k_proj", "model.layers.0.mlp.experts.3.down_proj")) {
            boolean experts = name.contains("experts");
            Weight a = written.linear(name, experts ? 64 : 32, experts ? 96 : 64);
            Weight b = generated.linear(name, experts ? 64 : 32, experts ? 96 : 64);
            assertThat(b.dtype()).isEqualTo(a.dtype());
            assertThat(b.activation()).isEqualTo(a.activation());
            assertThat(b.data().byteSize()).isEqualTo(a.data().byteSize());
            assertThat(b.scales() == null ? null : b.scales().values()).isEqualTo(a.scales() == null ? null : a.scales().values());
        }
    }

    @ParameterizedTest
    @EnumSource(Layout.class)
    void runs(Layout layout) {
        try (ModelBench bench =
                new ModelBench(new GeneratedCheckpoint(SHAPE, layout, 1), new CpuBackend(Activations.EIGHT_BIT), List.of(2), 20)) {
            assertThat(bench.run("machine", "model", List.of(2), 20, 4).results()).allSatisfy(
                    result -> assertThat(result.tokensPerSecond()).isPositive());
        }
    }

    @Test
    void givesEveryLayerNumbersOfItsOwn() {
        Checkpoint checkpoint = new GeneratedCheckpoint(SHAPE, Layout.AUTOFP8, 1);
        Weight first = checkpoint.linear("model.layers.0.self_attn.q_proj", 64, 64);
        Weight second = checkpoint.linear("model.layers.1.self_attn.q_proj", 64, 64);
        assertThat(first.data().mismatch(second.data())).isNotEqualTo(-1);
    }

    @Test
    void givesTheSameNumbersForTheSameSeed() {
        Weight one = new GeneratedCheckpoint(SHAPE, Layout.AUTOFP8, 5).linear("lm_head", 300, 64);
        Weight same = new GeneratedCheckpoint(SHAPE, Layout.AUTOFP8, 5).linear("lm_head", 300, 64);
        Weight other = new GeneratedCheckpoint(SHAPE, Layout.AUTOFP8, 6).linear("lm_head", 300, 64);
        assertThat(one.data().mismatch(same.data())).isEqualTo(-1);
        assertThat(one.data().mismatch(other.data())).isNotEqualTo(-1);
    }

    @Test
    void refusesATensorOfAnotherShape() {
        Checkpoint checkpoint = new GeneratedCheckpoint(SHAPE, Layout.AUTOFP8, 1);
        assertThatThrownBy(() -> checkpoint.linear("lm_head", 300, 65)).isInstanceOf(CheckpointException.class);
    }
}
