package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
class DisconnectTest {

    @Inject
    Readiness readiness;

    @TestHTTPResource("/")
    URI uri;

    private final ScriptedEngine engine = new ScriptedEngine();

    @BeforeEach
    void serve() {
        readiness.ready(Serving.with(engine, Duration.ZERO));
    }

    @Test
    void cancelsEverySequenceOfAStream() throws Exception {
        engine.play(ScriptedEngine::forever);
        try (Socket client = post("{\"prompt\":\"hi\",\"n\":3,\"stream\":true}")) {
            assertThat(client.getInputStream().read()).isEqualTo('H');
        }
        cancelled(3);
    }

    @Test
    void cancelsAnAnswerThatIsNotStreamed() throws Exception {
        engine.play(ScriptedEngine::forever);
        try (Socket client = post("{\"prompt\":\"hi\"}")) {
            assertThat(engine.prompts.poll(10, TimeUnit.SECONDS)).isNotNull();
        }
        cancelled(1);
    }

    @Test
    void cancelsAStreamThatHasNotBegun() throws Exception {
        engine.play(ScriptedEngine::silent);
        try (Socket client = post("{\"prompt\":\"hi\",\"stream\":true}")) {
            assertThat(engine.prompts.poll(10, TimeUnit.SECONDS)).isNotNull();
        }
        cancelled(1);
    }

    private void cancelled(int sequences) throws InterruptedException {
        for (int i = 0; i < sequences; i++) {
            assertThat(engine.cancelled.poll(10, TimeUnit.SECONDS)).isNotNull();
        }
    }

    private Socket post(String body) throws IOException {
        Socket socket = new Socket(uri.getHost(), uri.getPort());
        socket.getOutputStream()
                .write(("POST /v1/completions HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: "
                                + body.length() + "\r\n\r\n" + body)
                        .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }
}
