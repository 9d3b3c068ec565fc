package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
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
        try (RawClient client = post("{\"prompt\":\"hi\",\"n\":3,\"stream\":true}")) {
            assertThat(client.replies().read()).isEqualTo('H');
        }
        cancelled(3);
    }

    @Test
    void cancelsAnAnswerThatIsNotStreamed() throws Exception {
        engine.play(ScriptedEngine::forever);
        try (RawClient client = post("{\"prompt\":\"hi\"}")) {
            assertThat(engine.prompts.poll(10, TimeUnit.SECONDS)).isNotNull();
        }
        cancelled(1);
    }

    @Test
    void cancelsAStreamThatHasNotBegun() throws Exception {
        engine.play(ScriptedEngine::silent);
        try (RawClient client = post("{\"prompt\":\"hi\",\"stream\":true}")) {
            assertThat(engine.prompts.poll(10, TimeUnit.SECONDS)).isNotNull();
        }
        cancelled(1);
    }

    private void cancelled(int sequences) throws InterruptedException {
        for (int i = 0; i < sequences; i++) {
            assertThat(engine.cancelled.poll(10, TimeUnit.SECONDS)).isNotNull();
        }
    }

    private RawClient post(String body) throws IOException {
        RawClient client = RawClient.of(uri, "Content-Length: " + body.length());
        client.send(body);
        return client;
    }
}
