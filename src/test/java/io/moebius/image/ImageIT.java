package io.moebius.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.dockerjava.api.model.AccessMode;
import com.github.dockerjava.api.model.Bind;
import com.github.dockerjava.api.model.Capability;
import com.github.dockerjava.api.model.Volume;
import io.moebius.license.TrialSecret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.containers.BindMode;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.output.OutputFrame.OutputType;
import org.testcontainers.containers.wait.strategy.Wait;

/** The image, driven as a user drives it. */
class ImageIT {

    private static final String QUESTION = """
            {"messages": [{"role": "user", "content": "What is the capital of France?"}], "max_tokens": 8}""";
    private static final String STORY = """
            {"messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 1000, "min_tokens": 1000}""";

    @BeforeAll
    static void theImageCanRun() {
        Image.assumeItCanRun();
    }

    @Test
    void answersAndShowsItsMetricsOnTheirOwnPort() throws IOException {
        try (GenericContainer<?> container = Image.container()) {
            container.start();
            assertThat(Image.post(container, "/v1/chat/completions", QUESTION).body()).contains("\"finish_reason\"");
            assertThat(Image.get(container, 8281, "/metrics").body()).contains("friendli_");
        }
    }

    @Test
    void runsAsAnyUserWithAReadOnlyRoot() throws IOException {
        try (GenericContainer<?> container = Image.container()) {
            container.withCreateContainerCmdModifier(
                    create -> create.withUser("12345:54321").getHostConfig().withReadonlyRootfs(true));
            container.start();
            assertThat(Image.post(container, "/v1/chat/completions", QUESTION).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void healthIs503UntilATokenHasBeenGenerated() {
        try (GenericContainer<?> container = starting()) {
            Wait.forHttp("/health").forPort(8000).forStatusCode(200).waitUntilReady(container);
        }
    }

    /** A container that has answered 503. A fiftieth of a processor makes its start long enough to be seen. */
    private static GenericContainer<?> starting() {
        GenericContainer<?> container = Image.container();
        container.withCreateContainerCmdModifier(
                create -> create.getHostConfig().withCpuPeriod(100_000L).withCpuQuota(2_000L));
        container.waitingFor(Wait.forHttp("/health").forPort(8000).forStatusCode(503));
        container.start();
        return container;
    }

    @Test
    void itsOwnHealthCheckFindsThePortOfTheFlags() throws Exception {
        try (GenericContainer<?> container = Image.container("--web-server-port", "9000").withExposedPorts(9000)) {
            container.waitingFor(Wait.forHttp("/health").forPort(9000).forStatusCode(200));
            container.start();
            assertThat(container.execInContainer(Image.EXECUTABLE, "healthcheck").getExitCode()).isZero();
        }
    }

    @Test
    void sigtermLetsARunningRequestFinishAndExitsWithZero() throws Exception {
        try (GenericContainer<?> container = Image.container("--drain-timeout", "110")) {
            container.start();
            var answer = CompletableFuture.supplyAsync(() -> {
                try {
                    return Image.post(container, "/v1/chat/completions", STORY).body();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            while (Image.get(container, 8281, "/metrics").body().contains("friendli_current_assigned_items 0")) {
                assertThat(answer).as("the answer, still to come").isNotDone();
            }
            int code = Image.signal(container, "SIGTERM");
            assertThat(answer.get()).contains("\"completion_tokens\":1000");
            assertThat(code).isZero();
        }
    }

    @Test
    void startsAgainAfterItWasKilled(@TempDir Path policy) throws IOException {
        for (int round = 0; round < 2; round++) {
            try (GenericContainer<?> container = Image.container()) {
                container.withFileSystemBind(policy.toString(), "/policy", BindMode.READ_WRITE);
                container.start();
                assertThat(Image.post(container, "/v1/chat/completions", QUESTION).statusCode()).isEqualTo(200);
                assertThat(Image.signal(container, "SIGKILL")).isEqualTo(137);
            }
        }
    }

    @Test
    void anUnknownFlagIsOneLineAndExitsWithTwo() {
        Image.Ended ended = Image.run(create -> {}, "--web-server-prot", "1");
        assertThat(ended.code()).isEqualTo(2);
        assertThat(ended.output()).isEmpty();
        assertThat(ended.errors().lines()).hasSize(1).first().asString().contains("--web-server-port");
    }

    @Test
    void helpGoesToStandardOutput() {
        Image.Ended ended = Image.run(create -> {}, "--help");
        assertThat(ended.code()).isZero();
        assertThat(ended.output()).contains("--hf-model-name");
    }

    @Test
    void logsGoToStandardError() throws IOException {
        try (GenericContainer<?> container = Image.container()) {
            container.start();
            assertThat(container.getLogs(OutputType.STDOUT)).isEmpty();
            assertThat(container.getLogs(OutputType.STDERR)).isNotEmpty();
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
            assertThat(Image.post(container, "/v1/chat/completions", QUESTION).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aModelThatIsNotInTheCacheIsOneLineWithItsCode(@TempDir Path cache) throws IOException {
        TrialSecret secret = TrialSecret.make();
        CachedModel.license(cache, secret);
        Image.Ended ended = Image.run(
                create -> create.withEnv(
                                "FRIENDLI_CONTAINER_SECRET=" + secret.text(), "MOEBIUS_LICENSE_KEYS=" + CachedModel.LICENSE_KEY)
                        .getHostConfig()
                        .withBinds(new Bind(cache.toString(), new Volume("/root/.cache/huggingface"), AccessMode.ro)),
                "--hf-model-name", "team/absent");
        assertThat(ended.code()).isBetween(3, 99);
        assertThat(ended.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1)
                .first().asString().contains("team/absent");
    }

    @Test
    void flagsComeByTheirEnvironmentTwinsToo() throws IOException {
        try (GenericContainer<?> container = Image.container().withEnv("MOEBIUS_SERVED_MODEL_NAME", "twin")) {
            container.start();
            assertThat(Image.get(container, 8000, "/v1/models").body()).contains("\"twin\"");
        }
    }

    @Test
    void theSecretIsNeverShown() throws IOException {
        try (GenericContainer<?> container = Image.container().withEnv("FRIENDLI_CONTAINER_SECRET", "s3cret-value")) {
            container.start();
            assertThat(container.getLogs()).doesNotContain("s3cret-value");
            assertThat(Image.get(container, 8281, "/metrics").body()).doesNotContain("s3cret-value");
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
    void runsWithoutAHome() {
        try (GenericContainer<?> container = Image.container().withEnv("HOME", "/nonexistent")) {
            container.withCreateContainerCmdModifier(
                    create -> create.withUser("12345").getHostConfig().withReadonlyRootfs(true));
            container.start();
            assertThat(container.isRunning()).isTrue();
        }
    }

    @Test
    void anUnusableSystemLibraryIsOneLineWithItsCode(@TempDir Path folder) throws IOException {
        Path broken = Files.createFile(folder.resolve("libstdc++.so.6"));
        Image.Ended ended = Image.run(create -> create.getHostConfig()
                .withBinds(new Bind(broken.toString(), new Volume("/lib/x86_64-linux-gnu/libstdc++.so.6"), AccessMode.ro)));
        assertThat(ended.code()).isBetween(3, 99);
        assertThat(ended.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1)
                .first().asString().contains("load library");
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
    void everyLineIsJsonWhenAskedFor() {
        try (GenericContainer<?> container = Image.container("--log-format", "json")) {
            container.start();
            assertThat(container.getLogs(OutputType.STDERR).lines())
                    .isNotEmpty()
                    .allSatisfy(line -> assertThat(line).startsWith("{\"timestamp\":").endsWith("}"));
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
            assertThat(Image.post(container, "/v1/chat/completions", QUESTION).statusCode()).isEqualTo(200);
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
    void servesWhereTheDiskIsFull() throws IOException {
        try (GenericContainer<?> container = Image.container().withTmpFs(Map.of("/tmp", "rw,size=4k", "/root", "rw,size=4k"))) {
            container.withCreateContainerCmdModifier(create -> create.getHostConfig().withReadonlyRootfs(true));
            container.start();
            assertThat(Image.post(container, "/v1/chat/completions", QUESTION).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aPortThatMayNotBeOpenedIsOneLineWithItsCode() {
        Image.Ended ended = Image.run(
                create -> create.withUser("12345").getHostConfig().withCapDrop(Capability.ALL).withSysctls(
                        Map.of("net.ipv4.ip_unprivileged_port_start", "1024")),
                "--web-server-port", "80");
        assertThat(ended.code()).isEqualTo(3);
        assertThat(ended.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1);
    }

    @Test
    void sigtermDuringTheStartExitsWithZero() {
        try (GenericContainer<?> container = starting()) {
            assertThat(Image.signal(container, "SIGTERM")).isZero();
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
}
