package io.moebius.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.moebius.backend.Activations;
import io.moebius.backend.cpu.CpuBackend;
import io.moebius.checkpoint.Checkpoint;
import io.moebius.text.ChatMessage;
import io.moebius.text.ModelText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CheckpointGeneratorTest {

    static final Shape SMALL = new Shape(64, 2, 4, 2, 96, 4, 2, 300, 512);

    @TempDir
    Path parent;

    @ParameterizedTest
    @EnumSource(Layout.class)
    void writesWhatLoadsAndComputesFiniteNumbers(Layout layout) throws IOException {
        Path folder = parent.resolve("model");
        long bytes = new CheckpointGenerator(SMALL, layout, 1).write(folder);
        Checkpoint checkpoint = Checkpoint.open(folder);
        assertThat(checkpoint.weightBytes()).isEqualTo(bytes);
        try (ModelBench bench = new ModelBench(checkpoint, new CpuBackend(Activations.EIGHT_BIT), List.of(1, 3), 20)) {
            Report report = bench.run("machine", "model", List.of(1, 3), 20, 4);
            assertThat(report.results()).extracting(Report.Result::phase).containsExactly("prefill", "decode", "decode");
            assertThat(report.results()).allSatisfy(result -> assertThat(result.tokensPerSecond()).isPositive());
            assertThat(report.table()).contains("GB/s read", "prefill", "decode");
        }
    }

    @Test
    void writesATokenizerOfBytes() throws IOException {
        Path folder = parent.resolve("model");
        new CheckpointGenerator(SMALL, Layout.AUTOFP8, 1).write(folder);
        ModelText text = ModelText.open(folder, null);
        assertThat(text.tokenizer().encode("häh </s>")).hasSize(9);
        assertThat(text.chatIds(List.of(new ChatMessage("user", "hi")))).startsWith(1).hasSizeGreaterThan(10);
    }

    @Test
    void sameSeedSameBytes() throws IOException {
        new CheckpointGenerator(SMALL, Layout.FRIENDLI, 7).write(parent.resolve("a"));
        new CheckpointGenerator(SMALL, Layout.FRIENDLI, 7).write(parent.resolve("b"));
        String shard = "model-00001-of-00001.safetensors";
        assertThat(Files.mismatch(parent.resolve("a").resolve(shard), parent.resolve("b").resolve(shard))).isEqualTo(-1);
    }

    @Test
    void refusesAFolderThatHoldsSomething() throws IOException {
        Files.writeString(parent.resolve("config.json"), "{}");
        assertThatThrownBy(() -> new CheckpointGenerator(SMALL, Layout.BF16, 1).write(parent)).hasMessageContaining("is not empty");
    }

    @Test
    void refusesHeadsThatDoNotDivideTheWidth() {
        assertThatThrownBy(() -> new Shape(64, 2, 5, 1, 96, 4, 2, 300, 512)).hasMessageContaining("--hidden is 64");
    }
}
