package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.hub.TestHub;
import io.moebius.license.TrialSecret;
import io.moebius.net.TestProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real program and a Hub on the loopback that has the demo model. */
class HubIT {

    private static final Path MODEL = Path.of("src/main/resources/demo-model");

    @TempDir
    private Path cache;

    private final TestHub hub = new TestHub();
    private long modelBytes;

    @BeforeEach
    void giveTheHubAModel() throws IOException {
        try (Stream<Path> files = Files.list(MODEL)) {
            for (Path file : files.toList()) {
                hub.file(file.getFileName().toString(), Files.readAllBytes(file));
                modelBytes += Files.size(file);
            }
        }
    }

    @AfterEach
    void stopTheHub() {
        hub.close();
    }

    private Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>(TrialSecret.make().environment());
        environment.put("HF_HUB_CACHE", cache.toString());
        environment.put("HF_ENDPOINT", hub.address().toString());
        return environment;
    }

    @Test
    void goesOnAfterItWasKilledInTheMiddle() throws IOException {
        hub.bytesPerMilli = 2_000;
        try (Program program = Program.run(environment(), "download", "org/name")) {
            while (program.isAlive() && hub.bytesSent.get() < modelBytes / 3) {
                Thread.onSpinWait();
            }
            program.kill();
            program.awaitExit();
        }
        long before = hub.bytesSent.get();
        assertThat(before).isLessThan(modelBytes);
        hub.bytesPerMilli = Long.MAX_VALUE;
        try (Program program = Program.run(environment(), "download", "org/name")) {
            assertThat(program.awaitExit()).as(program.errors()).isZero();
        }
        // What was under way when the program died may come again, what had arrived does not.
        assertThat(hub.bytesSent.get()).isLessThan(modelBytes + before / 2);
        try (Program program = Program.run(environment(), "models")) {
            assertThat(program.awaitExit()).isZero();
            assertThat(program.output()).contains("org/name", "main", "serves as FriendliAI FP8");
        }
    }

    @Test
    void servesWhatItFetchesAndSaysHowFarItIs() throws IOException {
        hub.bytesPerMilli = 20_000;
        try (Program program = Program.start(environment(), "--hf-model-name", "org/name")) {
            String health = "";
            while (program.isAlive() && !health.contains("downloading the model")) {
                try {
                    health = program.get("/health").body();
                } catch (IOException notYet) {
                    // The port is not open yet.
                }
            }
            program.awaitReady();
            assertThat(program.get("/v1/models").body()).contains("org/name");
        }
        hub.close();
        try (Program program = Program.start(environment(), "--hf-model-name", "org/name").awaitReady()) {
            assertThat(program.errors()).contains("the cached revision is used");
        }
    }

    @Test
    void givesAProxyItsLoginBeforeATunnelAndShowsItNobody() throws IOException {
        try (TestProxy proxy = new TestProxy("me:p@ss"); Program program = Program.run(
                Map.of("HF_HUB_CACHE", cache.toString(), "HF_ENDPOINT", "https://127.0.0.1:9", "HTTPS_PROXY", proxy.address("me:p%40ss@")),
                "download", "org/name")) {
            assertThat(program.awaitExit()).isEqualTo(13);
            assertThat(program.errors()).contains("through the proxy 127.0.0.1:" + proxy.port()).doesNotContain("p@ss", "p%40ss");
            assertThat(proxy.requests).contains("CONNECT 127.0.0.1:9");
        }
    }

    @Test
    void aModelThatTheHubRefusesIsOneLineWithItsCode() {
        try (Program program = Program.run(
                Map.of("HF_HUB_CACHE", cache.toString(), "HF_ENDPOINT", "http://127.0.0.1:9"), "download", "org/name")) {
            assertThat(program.awaitExit()).isEqualTo(13);
            assertThat(List.of(program.errors().split("\n"))).filteredOn(line -> line.startsWith("moebius: ")).hasSize(1)
                    .first().asString().contains("cannot be asked about org/name");
        }
    }
}
