package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.license.TrialSecret;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The container secret, as the packaged program treats it. */
class LicenseIT {

    private static final String MODEL = Path.of("src/main/resources/demo-model").toAbsolutePath().toString();

    @Test
    void servesWithASecretAndNeverShowsIt() throws Exception {
        TrialSecret secret = TrialSecret.make();
        Map<String, String> environment = new HashMap<>(secret.environment());
        environment.put("QUARKUS_LOG_LEVEL", "DEBUG");
        try (Program program = Program.start(environment, "--hf-model-name", MODEL, "--max-batch-size", "4")) {
            program.awaitReady();
            String shown = program.metrics() + program.get("/health").body() + program.get("/version").body()
                    + program.get("/nothing").body() + program.post("/v1/completions", "{").body();
            program.terminate();
            program.awaitExit();
            for (String part : secret.text().split("\\.")) {
                assertThat(shown + program.errors() + program.output()).doesNotContain(part.equals("moebius1") ? secret.text() : part);
            }
            assertThat(program.errors()).contains("27 days left");
        }
    }

    @Test
    void answers403AfterTheGrace() throws Exception {
        TrialSecret secret = TrialSecret.make(Duration.ofSeconds(1));
        try (Program program = Program.start(
                secret.environment(), "--hf-model-name", MODEL, "--max-batch-size", "4", "--license-grace", "0")) {
            while (program.status("/health") == 0 || !program.get("/health").body().contains("license expired")) {
                Thread.onSpinWait();
            }
            assertThat(program.post("/v1/completions", "{\"prompt\": \"a\", \"max_tokens\": 1}").statusCode()).isEqualTo(403);
        }
    }

    @ParameterizedTest
    @CsvSource({"'', no container secret", "YOUR CONTAINER SECRET, placeholder", "flp_x, issued by Friendli", "moebius1.a, damaged"})
    void refusesInOneLine(String secret, String reason) {
        try (Program program = Program.start(Map.of("FRIENDLI_CONTAINER_SECRET", secret), "--hf-model-name", "a/b")) {
            assertThat(program.awaitExit()).isEqualTo(16);
            assertThat(program.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1)
                    .first().asString().contains(reason);
        }
    }
}
