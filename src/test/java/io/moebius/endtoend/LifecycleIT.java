package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.license.TrialSecret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Starting and stopping the real program, and the one line that it leaves when it can't. */
class LifecycleIT {

    private static final String STORY = """
            {"messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 1000, "min_tokens": 1000}""";

    @Test
    void sigtermLetsRunningRequestsFinishAndExitsWithZero() throws Exception {
        try (Program program = Program.start("--drain-timeout", "110").awaitReady()) {
            var answer = CompletableFuture.supplyAsync(() -> post(program));
            while (!program.metrics().contains("friendli_current_assigned_items 1")) {
                Thread.onSpinWait();
            }
            program.terminate();
            assertThat(answer.get()).contains("\"completion_tokens\":1000");
            assertThat(program.awaitExit()).isZero();
        }
    }

    @Test
    void sigtermLetsASlowClientReadToTheEnd() throws Exception {
        String story = """
                {"messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 600, "min_tokens": 600, "n": 8,
                 "logprobs": true, "top_logprobs": 20, "stream": true}""";
        try (Program program = Program.start("--drain-timeout", "110").awaitReady(); Socket client = program.connect(4096)) {
            client.getOutputStream().write(("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "Content-Type: application/json\r\nContent-Length: " + story.length() + "\r\n\r\n" + story).getBytes(StandardCharsets.UTF_8));
            assertThat(client.getInputStream().read()).isEqualTo('H');
            while (!program.metrics().contains("friendli_current_assigned_items 0")) {
                Thread.onSpinWait();
            }
            assertThat(program.metrics()).contains("friendli_current_requests 1");
            program.terminate();
            while (program.status("/health") == 200) {
                Thread.onSpinWait();
            }
            assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8)).contains("data: [DONE]");
            assertThat(program.awaitExit()).isZero();
        }
    }

    private static String post(Program program) {
        try {
            return program.post("/v1/chat/completions", STORY).body();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aSecondSignalEndsTheProgramAtOnce() throws Exception {
        try (Program program = Program.start("--drain-timeout", "600").awaitReady()) {
            Thread.ofVirtual().start(() -> {
                try {
                    program.post("/v1/chat/completions", STORY);
                } catch (IOException expected) {
                    // The connection ends with the program.
                }
            });
            while (!program.metrics().contains("friendli_current_assigned_items 1")) {
                Thread.onSpinWait();
            }
            program.terminate();
            while (program.status("/health") == 200) {
                Thread.onSpinWait();
            }
            program.terminate();
            assertThat(program.awaitExit()).isEqualTo(143);
        }
    }

    @Test
    void aPortInUseIsOneLine() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("0.0.0.0"))) {
            String port = Integer.toString(taken.getLocalPort());
            try (Program program = Program.run("--web-server-port", port)) {
                int code = program.awaitExit();
                assertThat(program.errors().lines()).hasSize(1).first().asString().contains(port);
                assertThat(code).isBetween(3, 99);
            }
        }
    }

    @Test
    void anUnknownFlagIsOneLineWithTheNearest() {
        try (Program program = Program.run("--web-server-prot", "1")) {
            assertThat(program.awaitExit()).isEqualTo(2);
            assertThat(program.errors().lines()).hasSize(1).first().asString()
                    .contains("--web-server-prot", "--web-server-port");
        }
    }

    @Test
    void aBrokenCheckpointIsOneLineAndItsCode(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("config.json"), "{\"architectures\": [\"MixtralForCausalLM\"]");
        Files.write(folder.resolve("model.safetensors"), new byte[8]);
        try (Program program = Program.start(TrialSecret.make().environment(), "--hf-model-name", folder.toString())) {
            int code = program.awaitExit();
            assertThat(program.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1)
                    .first().asString().contains("config.json");
            assertThat(program.errors()).doesNotContain("\tat ");
            assertThat(code).isBetween(3, 99);
        }
    }

    @Test
    void aModelThatIsNotInTheCacheIsOneLineAndItsCode(@TempDir Path cache) {
        Map<String, String> environment = new HashMap<>(TrialSecret.make().environment());
        environment.put("HF_HUB_CACHE", cache.toString());
        environment.put("HF_ENDPOINT", "http://127.0.0.1:9");
        try (Program program = Program.start(environment, "--hf-model-name", "a/b")) {
            int code = program.awaitExit();
            assertThat(program.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1)
                    .first().asString().contains("a/b", cache.toString());
            assertThat(code).isBetween(3, 99);
        }
    }
}
