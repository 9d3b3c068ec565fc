package io.moebius.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Volume;
import io.moebius.license.TrialSecret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.containers.BindMode;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.output.OutputFrame.OutputType;

/** The image serves: as any user, within a container's limits, from mounted caches and policies. */
class ImageIT {

    @BeforeAll
    static void theImageCanRun() {
        Image.assumeItCanRun();
    }

    @Test
    void answersAndShowsItsMetricsOnTheirOwnPort() throws IOException {
        try (GenericContainer<?> container = Image.container()) {
            container.start();
            assertThat(Image.post(container, "/v1/chat/completions", Image.QUESTION).body()).contains("\"finish_reason\"");
            assertThat(Image.get(container, 8281, "/metrics").body()).contains("friendli_");
        }
    }

    @Test
    void runsAsAnyUserWithAReadOnlyRoot() throws IOException {
        try (GenericContainer<?> container = Image.container()) {
            container.withCreateContainerCmdModifier(
                    create -> create.withUser("12345:54321").getHostConfig().withReadonlyRootfs(true));
            container.start();
            assertThat(Image.post(container, "/v1/chat/completions", Image.QUESTION).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void runsWithoutAHome() {
        try (GenericContainer<?> container = Image.container().withEnv("HOME", "/nonexistent")) {
            container.withCreateContainerCmdModifier(
                    create -> create.withUser("12345").getHostConfig().withReadonlyRootfs(true));
            container.start();
            assertThat(container.isRunning()).isTrue();
        }
    }

    @Test
    void hasNoShell() {
        try (GenericContainer<?> container = Image.container()) {
            container.start();
            assertThat(Stream.of("/bin/sh", "/bin/bash", "/busybox/sh"))
                    .allSatisfy(shell -> assertThat(exec(container, shell)).isNotZero());
        }
    }

    private static long exec(GenericContainer<?> container, String command) {
        try {
            return container.execInContainer(command, "-c", "true").getExitCode();
        } catch (IOException | RuntimeException refused) {
            return -1;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void servesAModelOfAReadOnlyCache(@TempDir Path cache) throws IOException {
        TrialSecret secret = TrialSecret.make();
        CachedModel.put(cache, "team/demo");
        CachedModel.license(cache, secret);
        try (GenericContainer<?> container = Image.container("--hf-model-name", "team/demo")
                .withEnv("FRIENDLI_CONTAINER_SECRET", secret.text())
                .withEnv("MOEBIUS_LICENSE_KEYS", CachedModel.LICENSE_KEY)) {
            container.withFileSystemBind(cache.toString(), "/root/.cache/huggingface", BindMode.READ_ONLY);
            container.start();
            assertThat(Image.get(container, 8000, "/v1/models").body()).contains("team/demo");
            assertThat(Image.post(container, "/v1/chat/completions", Image.QUESTION).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void flagsComeByTheirEnvironmentTwinsToo() throws IOException {
        try (GenericContainer<?> container = Image.container().withEnv("MOEBIUS_SERVED_MODEL_NAME", "twin")) {
            container.start();
            assertThat(Image.get(container, 8000, "/v1/models").body()).contains("\"twin\"");
        }
    }

    @Test
    void theThreadsFollowTheContainersProcessors() {
        try (GenericContainer<?> container = Image.container()) {
            container.withCreateContainerCmdModifier(
                    create -> create.getHostConfig().withCpuPeriod(100_000L).withCpuQuota(100_000L));
            container.start();
            assertThat(container.getLogs(OutputType.STDERR)).containsPattern("cpu \\(\\w+, 1 threads?\\)");
        }
    }

    @Test
    void theMemoryPlanFollowsTheContainersLimit() {
        try (GenericContainer<?> container = Image.container()) {
            container.withCreateContainerCmdModifier(
                    create -> create.getHostConfig().withMemory(400L << 20).withMemorySwap(400L << 20));
            container.start();
            assertThat(cacheMebibytes(container.getLogs(OutputType.STDERR))).isLessThan(400);
        }
    }

    private static double cacheMebibytes(String summary) {
        Matcher size = Pattern.compile("KV cache .* tokens in ([0-9.]+) (MiB|GiB)").matcher(summary);
        assertThat(size.find()).as(summary).isTrue();
        return Double.parseDouble(size.group(1)) * (size.group(2).equals("GiB") ? 1024 : 1);
    }

    @Test
    void servesWhereTheDiskIsFull() throws IOException {
        try (GenericContainer<?> container = Image.container().withTmpFs(Map.of("/tmp", "rw,size=4k", "/root", "rw,size=4k"))) {
            container.withCreateContainerCmdModifier(create -> create.getHostConfig().withReadonlyRootfs(true));
            container.start();
            assertThat(Image.post(container, "/v1/chat/completions", Image.QUESTION).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void servesWhereThePolicyFolderCannotBeWritten(@TempDir Path policy) throws IOException {
        try (GenericContainer<?> container = Image.container("--algo-policy-dir", "/policy")) {
            container.withFileSystemBind(policy.toString(), "/policy", BindMode.READ_ONLY);
            container.start();
            assertThat(container.getLogs(OutputType.STDERR)).contains("default policy: no file in /policy");
        }
    }

    @Test
    void searchesAPolicyOnceAndServesWithItEverAfter(@TempDir Path policy) throws IOException {
        Image.Ended search = Image.run(
                create -> create.getHostConfig().withBinds(new Bind(policy.toString(), new Volume("/policy"), AccessMode.rw)),
                "--algo-policy-dir", "/policy", "--search-policy", "true", "--terminate-after-search", "true",
                "--max-batch-size", "8", "--max-token-count", "8");
        assertThat(search.code()).as(search.errors()).isZero();
        try (Stream<Path> files = Files.list(policy)) {
            assertThat(files.map(Path::toString)).anyMatch(file -> file.endsWith(".json")).anyMatch(file -> file.endsWith(".html"));
        }
        try (GenericContainer<?> container =
                Image.container("--algo-policy-dir", "/policy", "--max-batch-size", "8", "--max-token-count", "8")) {
            container.withFileSystemBind(policy.toString(), "/policy", BindMode.READ_ONLY);
            container.start();
            assertThat(container.getLogs(OutputType.STDERR)).contains("5 sites, 0 missing, file /policy/");
            assertThat(Image.post(container, "/v1/chat/completions", Image.QUESTION).statusCode()).isEqualTo(200);
        }
    }
}
