package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bench tools of the packaged program, on a model small enough for a test. */
class BenchIT {

    @TempDir
    private Path folder;

    @Test
    void generatesAModelAndMeasuresIt() throws Exception {
        Path model = folder.resolve("model");
        try (Program tool = Program.run(
                "bench", "generate", "--out", model.toString(), "--hidden", "64", "--layers", "2", "--heads", "4", "--kv-heads", "2",
                "--ffn", "96", "--experts", "4", "--vocab", "512")) {
            assertThat(tool.awaitExit()).as(tool.errors()).isZero();
        }
        Path figures = folder.resolve("figures.json");
        try (Program tool = Program.run(
                "bench", "model", "--hf-model-name", model.toString(), "--batch", "1,2", "--prompt", "16", "--json", figures.toString())) {
            assertThat(tool.awaitExit()).as(tool.errors()).isZero();
            assertThat(tool.output()).contains("prefill", "decode", "of its bound");
        }
        JsonNode json = new ObjectMapper().readTree(figures.toFile());
        assertThat(json.get("bounds").get("read_bytes_per_second").doubleValue()).isPositive();
        assertThat(json.get("bounds").get("flops_per_second").doubleValue()).isPositive();
        assertThat(json.get("results")).hasSize(3).allSatisfy(result -> {
            assertThat(result.get("phase").textValue()).isIn("prefill", "decode");
            assertThat(result.get("tokens_per_second").doubleValue()).isPositive();
            assertThat(result.get("bound_fraction").doubleValue()).isPositive();
        });
    }

    @Test
    void aFolderWithFilesIsNotWrittenTo() throws Exception {
        Files.createFile(folder.resolve("mine"));
        try (Program tool = Program.run("bench", "generate", "--out", folder.toString())) {
            assertThat(tool.awaitExit()).isNotZero();
            assertThat(tool.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1);
        }
    }
}
