package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The packaged program on a GPU that is emulated by the driver in src-native/cuda/test/driver. */
class CudaIT {

    private static final String QUESTION = """
            {"messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 8, "temperature": 0}""";

    @BeforeAll
    static void theKernelsAreInTheProgram() {
        assumeTrue(
                Files.exists(Path.of("target/classes/moebius.fatbin")) || Files.exists(Path.of("target/lib/moebius.fatbin")),
                "built without nvcc, so without CUDA kernels");
    }

    private static Map<String, String> emulated(String... settings) {
        Map<String, String> environment = new HashMap<>(Map.of("LD_LIBRARY_PATH", Path.of("target/cuda/driver").toAbsolutePath().toString()));
        for (int i = 0; i < settings.length; i += 2) {
            environment.put(settings[i], settings[i + 1]);
        }
        return environment;
    }

    @Test
    void theCheckFindsTheGpuInOrder() {
        try (Program tool = Program.run(emulated(), "cuda-check")) {
            assertThat(tool.awaitExit()).as(tool.errors()).isZero();
            assertThat(tool.output().lines()).hasSize(4).noneMatch(line -> line.contains("FAILED"));
        }
    }

    @Test
    void theCheckSaysThatThereIsNoGpu() {
        try (Program tool = Program.run(emulated("MOEBIUS_EMULATED_DEVICES", "0"), "cuda-check")) {
            assertThat(tool.awaitExit()).isEqualTo(7);
            assertThat(tool.errors()).contains("moebius: no GPU is visible");
        }
    }

    @Test
    void autoServesOnTheGpu() throws Exception {
        try (Program program = Program.start(emulated(), "--max-batch-size", "4", "--max-token-count", "32").awaitReady()) {
            assertThat(program.errors()).contains("cuda (Emulated GPU, compute capability 9.0", "8bit", "GB/s");
            assertThat(program.post("/v1/chat/completions", QUESTION).body()).contains("\"completion_tokens\":8");
        }
    }

    @Test
    void autoTakesTheCpuWhereTheGpuHasNoFp8AndSaysSo() throws Exception {
        try (Program program = Program.start(emulated("MOEBIUS_EMULATED_CAPABILITY", "80")).awaitReady()) {
            assertThat(program.errors()).contains("warning: the GPU is not used, the CPU computes: FP8 needs Ada, Hopper or Blackwell");
        }
    }

    @Test
    void cudaRefusesAGpuWithoutFp8() {
        try (Program program = Program.start(emulated("MOEBIUS_EMULATED_CAPABILITY", "80"), "--device", "cuda")) {
            assertThat(program.awaitExit()).isEqualTo(7);
            assertThat(program.errors()).contains("this is Emulated GPU (8.0)");
        }
    }

    @Test
    void cudaRefusesAMachineWithoutDevice() {
        try (Program program = Program.start(emulated("MOEBIUS_EMULATED_DEVICES", "0"), "--device", "cuda")) {
            assertThat(program.awaitExit()).isEqualTo(7);
            assertThat(program.errors()).contains("no GPU is visible");
        }
    }

    @Test
    void aDeviceThatIsLostEndsTheProgramWithItsCode() {
        try (Program program = Program.start(
                emulated("MOEBIUS_EMULATED_FAILURE", "cuGraphLaunch:3:700"), "--device", "cuda", "--max-batch-size", "4", "--max-token-count", "32")) {
            program.awaitReady();
            try {
                program.post("/v1/chat/completions", QUESTION);
            } catch (IOException ended) {
                // With the program.
            }
            assertThat(program.awaitExit()).isEqualTo(17);
            assertThat(program.errors()).contains("moebius: the GPU is lost: cuGraphLaunch failed with CUDA_ERROR_ILLEGAL_ADDRESS");
        }
    }
}
