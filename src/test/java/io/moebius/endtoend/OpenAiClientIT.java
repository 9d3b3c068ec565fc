package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The real program and OpenAI's own JavaScript client. */
class OpenAiClientIT {

    private static final Path FOLDER = Path.of("src/test/openai-client");

    @Test
    void theOfficialClientIsServed() throws Exception {
        if (!Files.isDirectory(FOLDER.resolve("node_modules"))) {
            assertThat(run(Map.of(), "npm", "ci")).as("npm ci").isZero();
        }
        try (Program program = Program.start().awaitReady()) {
            Map<String, String> urls =
                    Map.of("MOEBIUS_URL", program.url(), "MOEBIUS_METRICS_URL", program.metricsUrl());
            assertThat(run(urls, "npm", "test")).as("the client's tests, printed above").isZero();
        }
    }

    private static int run(Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(List.of(command)).directory(FOLDER.toFile()).inheritIO();
        builder.environment().putAll(environment);
        return builder.start().waitFor();
    }
}
