package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The packaged program on a GPU that is emulated by the driver in src-native/cuda/test/driver. */
class CudaIT {

    private static final String QUESTION = """
            {"messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 8, "temperature": 0}""";

    private static final String TOY =
            "bench model --weights random --hidden 64 --layers 2 --heads 4 --kv-heads 2 --ffn 96 --experts 4 --vocab 512 --device cuda";

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
            assertThat(tool.output().lines()).hasSize(5).noneMatch(line -> line.contains("FAILED"));
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
            assertThat(program.errors()).contains("cuda (Emulated GPU, compute capability 9.0", "8bit")
                    .containsSubsequence("of weights, ", " free on the device", "GB/s", "KV cache", " that are free for it");
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

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "MOEBIUS_EMULATED_DRIVER | 12040 | 7 | the NVIDIA driver knows CUDA 12.4 at most, Moebius needs 13.0",
        "MOEBIUS_EMULATED_FAILURE | cuModuleLoadData:1:209 | 7 | cuModuleLoadData failed with CUDA_ERROR_NO_BINARY_FOR_GPU at the kernels of",
        "MOEBIUS_EMULATED_FAILURE | cuLaunchKernelEx:1:700 | 17 | the GPU is lost: cuLaunchKernelEx failed with CUDA_ERROR_ILLEGAL_ADDRESS at moebius_pack_weights",
        "MOEBIUS_EMULATED_MEMORY | 4000000 | 8 | the weights need 12 MiB at least, 0 MiB of the device's memory are free for them",
        "MOEBIUS_EMULATED_FAILURE | cuMemAlloc_v2:5:2 | 8 | bytes of GPU memory",
    })
    void aFailureIsOneLineWithTheReasonAndItsCode(String variable, String value, int code, String message) {
        try (Program program = Program.start(emulated(variable, value), "--device", "cuda")) {
            assertThat(program.awaitExit()).isEqualTo(code);
            assertThat(program.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1).first().asString().contains(message);
        }
    }

    @Test
    void autoTakesTheCpuWhereTheDriverIsTooOld() throws Exception {
        try (Program program = Program.start(emulated("MOEBIUS_EMULATED_DRIVER", "12040")).awaitReady()) {
            assertThat(program.errors().lines().filter(line -> line.contains("warning: "))).hasSize(1)
                    .first().asString().contains("the GPU is not used, the CPU computes: the NVIDIA driver knows CUDA 12.4 at most");
        }
    }

    @Test
    void autoTakesTheCpuWhereTheKernelsCannotBeLoadedAndGivesNoAdviceOfAnotherFlag() throws Exception {
        try (Program program = Program.start(emulated("MOEBIUS_EMULATED_FAILURE", "cuModuleLoadData:1:209")).awaitReady()) {
            assertThat(program.errors().lines().filter(line -> line.contains("warning: "))).hasSize(1).first().asString()
                    .contains("the GPU is not used, the CPU computes: the CUDA kernels cannot be used: cuModuleLoadData failed")
                    .doesNotContain("--device");
        }
    }

    @ParameterizedTest
    @CsvSource({"89, 8.9", "100, 10.0", "120, 12.0"})
    void everyGpuThatTheKernelsAreForHasThemAll(String capability, String shown) {
        try (Program tool = Program.run(
                emulated("MOEBIUS_EMULATED_CAPABILITY", capability), "check", "--device", "cuda", "--longest", "9",
                "--hf-model-name", "src/test/resources/fixtures/m-friendli-fp8")) {
            assertThat(tool.awaitExit()).as(tool.output() + tool.errors()).isZero();
            assertThat(tool.output()).startsWith("agrees: ").contains("compute capability " + shown);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "cuLaunchKernelEx:9:700 | 17 | moebius: the GPU is lost: cuLaunchKernelEx failed with CUDA_ERROR_ILLEGAL_ADDRESS at moebius_pack_weights",
        "cuGraphLaunch:2:719 | 17 | moebius: the GPU is lost: cuGraphLaunch failed with CUDA_ERROR_LAUNCH_FAILED at a recorded step",
        "cuMemAlloc_v2:9:2 | 8 | moebius: out of memory: no ",
        "cuEventRecord:9:1 | 10 | moebius: an unexpected failure: cuEventRecord failed with CUDA_ERROR_INVALID_VALUE at ",
    })
    void aBenchThatFailsSaysSoInOneLineWithItsCode(String failure, int code, String message) {
        try (Program tool = Program.run(emulated("MOEBIUS_EMULATED_FAILURE", failure), (TOY + " --batch 1 --prompt 16").split(" "))) {
            assertThat(tool.awaitExit()).isEqualTo(code);
            assertThat(tool.errors().lines()).singleElement().asString().startsWith(message);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1 | --device auto | --num-devices is 2; 1 GPU is visible, give 1",
        "2 | --device cuda | --num-devices is 2; sharing a model among GPUs is not supported yet, give 1",
        "2 | --device cpu | --num-devices is 2; --device cpu is one device, give 1",
    })
    void saysWhyItTakesNoMoreDevices(String visible, String device, String message) {
        List<String> flags = List.of((device + " --num-devices 2").split(" "));
        try (Program program = Program.start(emulated("MOEBIUS_EMULATED_DEVICES", visible), flags.toArray(String[]::new))) {
            assertThat(program.awaitExit()).isEqualTo(2);
            assertThat(program.errors()).contains(message);
        }
    }

    @Test
    void measuresAModelBesideTheBoundsOfTheGpu(@TempDir Path folder) throws Exception {
        Path figures = folder.resolve("figures.json");
        String flags = TOY + " --batch 1,2 --prompt 16 --context 20 --json " + figures;
        try (Program tool = Program.run(emulated(), flags.split(" "))) {
            assertThat(tool.awaitExit()).as(tool.errors()).isZero();
        }
        JsonNode json = new ObjectMapper().readTree(figures.toFile());
        assertThat(json.get("bounds").get("flops_instruction").textValue()).isEqualTo("wgmma m64n128k32 e4m3");
        assertThat(json.get("bounds").get("read_bytes_per_second").doubleValue()).isPositive();
        assertThat(json.get("load").get("bytes").longValue()).isPositive();
        assertThat(json.get("load").get("seconds").doubleValue()).isPositive();
        assertThat(json.get("results")).hasSize(3).allSatisfy(result -> {
            assertThat(result.get("tokens_per_second").doubleValue()).isPositive();
            assertThat(result.get("bound_fraction").doubleValue()).isPositive();
        });
    }

    @Test
    void aDeviceThatIsLostFailsRunningRequestsTurnsHealthTo503AndEndsTheProgramWithItsCode() throws Exception {
        try (Program program = Program.start(
                emulated("MOEBIUS_EMULATED_FAILURE", "cuGraphLaunch:3:700"), "--device", "cuda", "--max-batch-size", "4", "--max-token-count", "32")) {
            program.awaitReady();
            HttpResponse<String> answer = program.post("/v1/chat/completions", QUESTION);
            assertThat(answer.statusCode()).isEqualTo(500);
            assertThat(answer.body()).contains("\"error\"");
            while (program.status("/health") == 200) {
                Thread.onSpinWait();
            }
            assertThat(program.get("/health").statusCode()).isEqualTo(503);
            assertThat(program.get("/health").body()).contains("the GPU is lost: cuGraphLaunch failed");
            assertThat(program.post("/v1/chat/completions", QUESTION).statusCode()).isEqualTo(503);
            assertThat(program.awaitExit()).isEqualTo(17);
            assertThat(program.errors()).contains("moebius: the GPU is lost: cuGraphLaunch failed with CUDA_ERROR_ILLEGAL_ADDRESS");
        }
    }
}
