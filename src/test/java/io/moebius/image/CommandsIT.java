package io.moebius.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.license.TrialSecret;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * README.md's {@code docker run} commands, run as they stand but for the image's name, with the demo model in the mounted cache under
 * the name that they serve. Logging in and pulling is tried by .ci/registry.
 */
class CommandsIT {

    private static final Pattern SHELL_BLOCK = Pattern.compile("```sh\\n(.*?)```", Pattern.DOTALL);
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final TrialSecret secret = TrialSecret.make();

    @TempDir
    private Path home;

    @BeforeAll
    static void theImageCanRun() {
        Image.assumeItCanRun();
    }

    @ParameterizedTest
    @MethodSource("runCommands")
    void servesOrRefusesInOneLine(String block) throws Exception {
        CachedModel.put(home.resolve(".cache/huggingface"), "FriendliAI/Mixtral-8x7B-Instruct-v0.1-fp8");
        CachedModel.license(home.resolve(".cache/huggingface"), secret);
        Path errors = home.resolve("errors");
        Process process = start(block, errors);
        try {
            if (servesBeforeItEnds(process)) {
                process.destroy();
                assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
                assertThat(process.exitValue()).isZero();
            } else {
                assertThat(Files.readAllLines(errors)).filteredOn(line -> line.startsWith("moebius: ")).hasSize(1);
                assertThat(block).as(Files.readString(errors)).contains("--search-policy");
                assertThat(process.exitValue()).isEqualTo(2);
            }
        } finally {
            process.destroyForcibly();
        }
    }

    static Stream<String> runCommands() throws IOException {
        List<String> blocks = SHELL_BLOCK.matcher(Files.readString(Path.of("README.md"))).results()
                .map(match -> match.group(1))
                .filter(block -> block.contains("docker run"))
                .toList();
        assertThat(blocks).hasSizeGreaterThan(1);
        return blocks.stream();
    }

    private Process start(String block, Path errors) throws IOException {
        String script = block
                .replace("registry.example.com/team/moebius", Image.name())
                .replace("docker run", "exec " + engine() + " run --rm -e MOEBIUS_LICENSE_KEYS=" + CachedModel.LICENSE_KEY)
                .replace("YOUR CONTAINER SECRET", secret.text());
        ProcessBuilder builder = new ProcessBuilder("bash", "-euc", script)
                .directory(home.toFile())
                .redirectOutput(home.resolve("output").toFile())
                .redirectError(errors.toFile());
        builder.environment().put("HOME", home.toString());
        return builder.start();
    }

    /** podman where it holds the image, else docker. Docker's client loses the exit code when podman serves it. */
    private static String engine() {
        try {
            return new ProcessBuilder("podman", "image", "exists", Image.name()).start().waitFor() == 0 ? "podman" : "docker";
        } catch (IOException noPodman) {
            return "docker";
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean servesBeforeItEnds(Process process) throws Exception {
        HttpRequest health = HttpRequest.newBuilder(URI.create("http://127.0.0.1:8000/health")).build();
        Instant limit = Instant.now().plus(LIMIT);
        try (HttpClient http = HttpClient.newHttpClient()) {
            while (Instant.now().isBefore(limit) && !process.waitFor(50, TimeUnit.MILLISECONDS)) {
                try {
                    if (http.send(health, HttpResponse.BodyHandlers.discarding()).statusCode() == 200) {
                        return true;
                    }
                } catch (IOException notYet) {
                    // The port is not open yet.
                }
            }
        }
        return false;
    }
}
