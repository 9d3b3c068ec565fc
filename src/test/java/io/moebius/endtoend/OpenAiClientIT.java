package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.contentOf;

import java.io.File;
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
            succeeds(Map.of(), "npm", "ci");
        }
        try (Program program = Program.start().awaitReady()) {
            succeeds(
                    Map.of("MOEBIUS_URL", program.url(), "MOEBIUS_METRICS_URL", program.metricsUrl()), "npm", "test");
        }
    }

    /** Its output goes to a file: the standard streams of this process are the test runner's own. */
    private static void succeeds(Map<String, String> environment, String... command)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile(Path.of("target"), "openai-client", ".log");
        ProcessBuilder builder = new ProcessBuilder(List.of(command))
                .directory(FOLDER.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectOutput(output.toFile())
                .redirectErrorStream(true);
        builder.environment().putAll(environment);
        assertThat(builder.start().waitFor())
                .as(() -> String.join(" ", command) + " wrote:\n" + contentOf(output.toFile()))
                .isZero();
    }
}
