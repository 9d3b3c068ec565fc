package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.license.TrialSecret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The container secret, as the packaged program treats it. */
class LicenseIT {

    private static final String MODEL = Path.of("src/main/resources/demo-model").toAbsolutePath().toString();

    @TempDir
    private Path folder;

    @Test
    void servesWithASecretAndNeverShowsIt() throws Exception {
        TrialSecret secret = TrialSecret.make();
        Map<String, String> environment = new HashMap<>(secret.environment());
        environment.put("QUARKUS_LOG_LEVEL", "TRACE");
        environment.put("SMALLRYE_CONFIG_LOG_VALUES", "true");
        environment.put("HF_HOME", folder.toString());
        try (Program program = Program.start(environment, "--hf-model-name", MODEL, "--max-batch-size", "8", "--max-token-count", "8", "--algo-policy-dir", folder.toString(),
                "--search-policy", "true", "--search-budget", "1")) {
            program.awaitReady();
            String shown = program.metrics() + program.get("/health").body() + program.get("/version").body()
                    + program.get("/nothing").body() + program.post("/v1/completions", "{").body();
            assertThat(shown).contains("moebius_license_seconds_left 241");
            program.terminate();
            program.awaitExit();
            assertThat(program.errors()).contains("licensed to a test", "28 days left");
            assertShowsNothingOf(secret, shown + program.errors() + program.output() + everyFile());
        }
    }

    @Test
    void aCrashReportHoldsNothingOfTheSecret() throws Exception {
        TrialSecret secret = TrialSecret.make();
        Map<String, String> environment = new HashMap<>(secret.environment());
        environment.put("JAVA_TOOL_OPTIONS", "-XX:-CreateCoredumpOnCrash -XX:ErrorFile=" + folder.resolve("crash.log"));
        try (Program program = Program.start(environment, "--hf-model-name", MODEL, "--max-batch-size", "4")) {
            program.awaitReady();
            program.crash();
            program.awaitExit();
            String report = program.errors() + program.output() + everyFile();
            assertThat(report).containsAnyOf("SIGSEGV", "Segfault detected"); // A JVM and a native executable say it so.
            assertShowsNothingOf(secret, report);
        }
    }

    private String everyFile() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            StringBuilder text = new StringBuilder();
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                text.append(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
            return text.toString();
        }
    }

    private static void assertShowsNothingOf(TrialSecret secret, String text) {
        assertThat(text).doesNotContain(secret.text());
        Arrays.stream(secret.text().split("\\.")).skip(1)
                .forEach(part -> assertThat(text.contains(part)).as("a part of the secret is shown").isFalse());
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
        refused(Map.of("FRIENDLI_CONTAINER_SECRET", secret), reason, "--hf-model-name", "a/b");
    }

    @Test
    void refusesWhatTheSecretDoesNotAllowBeforeAnythingIsFetched() {
        TrialSecret secret = TrialSecret.make(Duration.ofDays(-1));
        refused(secret.environment(), "expired on", "--hf-model-name", "a/b");
        refused(Map.of("FRIENDLI_CONTAINER_SECRET", secret.text()), "a key that this program does not know", "--hf-model-name", "a/b");
        refused(Map.of("FRIENDLI_CONTAINER_SECRET", secret.text(), "MOEBIUS_LICENSE_KEYS", secret.text()), "cannot be read", "--hf-model-name", "a/b");
    }

    private static void refused(Map<String, String> environment, String reason, String... flags) {
        try (Program program = Program.start(environment, flags)) {
            assertThat(program.awaitExit()).isEqualTo(16);
            assertThat(program.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1)
                    .first().asString().contains(reason);
            assertThat(program.errors()).doesNotContain("finding the model").doesNotContainPattern("moebius1\\.eyJ");
        }
    }
}
