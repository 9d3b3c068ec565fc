package io.moebius.image;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.command.WaitContainerResultCallback;
import com.github.dockerjava.api.model.Frame;
import com.github.dockerjava.api.model.StreamType;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assumptions;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/** Containers of the image that -Dmoebius.image names. */
final class Image {

    static final String EXECUTABLE = "/opt/moebius/moebius";
    static final String QUESTION = """
            {"messages": [{"role": "user", "content": "What is the capital of France?"}], "max_tokens": 8}""";

    private static final Duration LIMIT = Duration.ofSeconds(120);

    private Image() {}

    /** Skips the calling test, loudly, where there is no image or nothing that runs it. */
    static void assumeItCanRun() {
        String reason = System.getProperty("moebius.image") == null
                ? "no image named by -Dmoebius.image (.ci/image builds and names it)"
                : DockerClientFactory.instance().isDockerAvailable() ? null : "neither Docker nor podman answers";
        if (reason != null) {
            System.err.println("======== SKIPPED: the image's tests: " + reason + " ========");
        }
        Assumptions.assumeTrue(reason == null, reason);
    }

    /** A container with {@code flags}, not yet started; starting it waits until it is ready. */
    static GenericContainer<?> container(String... flags) {
        return new GenericContainer<>(DockerImageName.parse(name()))
                .withCommand(flags)
                // Small batches: the tests need little memory for their KV caches.
                .withEnv("MOEBIUS_MAX_BATCH_SIZE", "8")
                .withExposedPorts(8000, 8281)
                .waitingFor(Wait.forHttp("/health").forPort(8000).forStatusCode(200).withStartupTimeout(LIMIT));
    }

    static String name() {
        return System.getProperty("moebius.image");
    }

    static HttpResponse<String> get(GenericContainer<?> container, int port, String path) throws IOException {
        return send(HttpRequest.newBuilder(address(container, port, path)).build());
    }

    static HttpResponse<String> post(GenericContainer<?> container, String path, String json) throws IOException {
        return send(HttpRequest.newBuilder(address(container, 8000, path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build());
    }

    private static URI address(GenericContainer<?> container, int port, String path) {
        return URI.create("http://" + container.getHost() + ":" + container.getMappedPort(port) + path);
    }

    private static HttpResponse<String> send(HttpRequest request) throws IOException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Sends {@code signal} and waits for the exit code. */
    static int signal(GenericContainer<?> container, String signal) {
        client().killContainerCmd(container.getContainerId()).withSignal(signal).exec();
        return exitCode(container.getContainerId());
    }

    /** Runs to its end with {@code flags}. */
    static Ended run(Consumer<CreateContainerCmd> settings, String... flags) {
        CreateContainerCmd create = client().createContainerCmd(name()).withCmd(flags);
        settings.accept(create);
        String id = create.exec().getId();
        try {
            client().startContainerCmd(id).exec();
            int code = exitCode(id);
            return new Ended(code, logs(id, StreamType.STDOUT), logs(id, StreamType.STDERR));
        } finally {
            client().removeContainerCmd(id).withForce(true).exec();
        }
    }

    static int exitCode(String id) {
        return client().waitContainerCmd(id)
                .exec(new WaitContainerResultCallback())
                .awaitStatusCode(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    private static String logs(String id, StreamType type) {
        StringBuilder text = new StringBuilder();
        try {
            client().logContainerCmd(id)
                    .withStdOut(type == StreamType.STDOUT)
                    .withStdErr(type == StreamType.STDERR)
                    .exec(new ResultCallback.Adapter<Frame>() {
                        @Override
                        public void onNext(Frame frame) {
                            text.append(new String(frame.getPayload()));
                        }
                    })
                    .awaitCompletion(LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return text.toString();
    }

    private static DockerClient client() {
        return DockerClientFactory.instance().client();
    }

    /** A container that has come to its end. */
    record Ended(int code, String output, String errors) {}
}
