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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * README.md's {@code docker run} commands, run as they stand but for the image's name and, where there is no GPU, the line for it, with the demo model in the mounted cache under
 * the name that they serve. Logging in and pulling is tried by .ci/registry.
 */
class CommandsIT {

    private static final Pattern SHELL_BLOCK = Pattern.compile("```sh\\n(.*?)```", Pattern.DOTALL);
    private static final String GPU_LINE = "  --gpus '\"device=0\"' \\\n";
    private static final Duration LIMIT = Duration.ofMinutes(8);

    private final TrialSecret secret = TrialSecret.make();

    @TempDir
    private Path home;

    @BeforeAll
    static void theImageCanRun() {
        Image.assumeItCanRun();
    }

    @ParameterizedTest
    @MethodSource("runCommands")
    void serves(String block) throws Exception {
        CachedModel.put(home.resolve(".cache/huggingface"), "FriendliAI/Mixtral-8x7B-Instruct-v0.1-fp8");
        CachedModel.license(home.resolve(".cache/huggingface"), secret);
        Files.createDirectory(home.resolve("policy")); // README's earlier block makes it, and podman mounts only what exists.
        serve(block);
    }

    @Test
    void aSearchedPolicyIsUsedByTheNextStart() throws Exception {
        CachedModel.put(home.resolve(".cache/huggingface"), "FriendliAI/Mixtral-8x7B-Instruct-v0.1-fp8");
        CachedModel.license(home.resolve(".cache/huggingface"), secret);
        List<String> blocks = runCommands().filter(block -> block.contains("--algo-policy-dir")).toList();
        assertThat(blocks).hasSize(2).first().asString().contains("--search-policy true");
        assertThat(serve(blocks.getFirst())).contains("choices differ from the defaults");
        try (Stream<Path> files = Files.list(home.resolve("policy"))) {
            assertThat(files.map(Path::toString)).anyMatch(file -> file.endsWith(".json")).anyMatch(file -> file.endsWith(".html"));
        }
        assertThat(serve(blocks.getLast())).contains("sites, 0 missing, file /policy/");
    }

    /** Runs the command until it serves, then stops it; what it wrote to stderr. */
    private String serve(String block) throws Exception {
        Path errors = home.resolve("errors");
        Process process = start(block, errors);
        try {
            assertThat(servesBeforeItEnds(process)).as(Files.readString(errors)).isTrue();
            process.destroy();
            assertThat(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
            return Files.readString(errors);
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
        assertThat(block).contains(GPU_LINE);
        String script = (Files.exists(Path.of("/dev/nvidiactl")) ? block : block.replace(GPU_LINE, ""))
                .replace("registry.example.com/team/moebius", Image.name())
                .replace("docker run", "exec " + engine() + " run --rm -e MOEBIUS_LICENSE_KEYS=" + CachedModel.LICENSE_KEY)
                .replace("YOUR CONTAINER SECRET", secret.text());
        ProcessBuilder builder = new ProcessBuilder("bash", "-euc", script)
                .directory(home.toFile())
                .redirectOutput(home.resolve("output").toFile())
                .redirectError(errors.toFile());
        builder.environment().put("HOME", home.toString());
        builder.environment().put("POLICY_DIR", home.resolve("policy").toString());
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
