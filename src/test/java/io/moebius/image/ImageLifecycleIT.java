package io.moebius.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testcontainers.containers.BindMode;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;

/** The image from its start, through health and signals, to its end. */
class ImageLifecycleIT {

    private static final String STORY = """
            {"messages": [{"role": "user", "content": "Tell me a story."}], "max_tokens": 1000, "min_tokens": 1000}""";

    @BeforeAll
    static void theImageCanRun() {
        Image.assumeItCanRun();
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
    void sigtermDuringTheStartExitsWithZero() {
        try (GenericContainer<?> container = starting()) {
            assertThat(Image.signal(container, "SIGTERM")).isZero();
        }
    }

    @Test
    void startsAgainAfterItWasKilled(@TempDir Path policy) throws IOException {
        for (int round = 0; round < 2; round++) {
            try (GenericContainer<?> container = Image.container()) {
                container.withFileSystemBind(policy.toString(), "/policy", BindMode.READ_WRITE);
                container.start();
                assertThat(Image.post(container, "/v1/chat/completions", Image.QUESTION).statusCode()).isEqualTo(200);
                assertThat(Image.signal(container, "SIGKILL")).isEqualTo(137);
            }
        }
    }
}
