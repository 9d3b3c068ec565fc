package io.moebius.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server whose container secret has ended, grace and all, while it runs. */
@QuarkusTest
class ExpiredSecretTest {

    @Inject
    Readiness readiness;

    private final ScriptedEngine engine = new ScriptedEngine();

    @BeforeEach
    void serve() {
        readiness.ready(Serving.with(engine, Duration.ZERO));
    }

    @AfterEach
    void renew() {
        readiness.servesUntil(Instant.MAX);
    }

    private void expire() {
        readiness.servesUntil(Instant.now().minusMillis(1));
    }

    private static int complete() {
        return given().contentType("application/json").body("{\"prompt\":\"a\"}").post("/v1/completions").statusCode();
    }

    @Test
    void answersUntilTheGraceIsOver() {
        readiness.servesUntil(Instant.now().plusSeconds(3600));
        given().get("/health").then().statusCode(200).body("status", equalTo("ready"));
        assertThat(complete()).isEqualTo(200);
    }

    @Test
    void saysSoInHealth() {
        expire();
        given().get("/health").then().statusCode(503).body("status", equalTo("license expired"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/completions", "/v1/chat/completions", "/v1/tokenize", "/v1/detokenize"})
    void refusesNewRequests(String path) {
        expire();
        String body = path.contains("chat") ? "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"
                : path.contains("detok") ? "{\"tokens\":[1]}" : "{\"prompt\":\"a\"}";
        given().contentType("application/json").body(body).post(path).then().statusCode(403)
                .body("error.code", equalTo("license_expired"));
    }

    @Test
    void letsTheRequestsAtWorkFinish() throws Exception {
        CountDownLatch expired = new CountDownLatch(1);
        engine.play((prompt, listener, self) -> {
            expired.await();
            ScriptedEngine.hello(prompt, listener, self);
        });
        CompletableFuture<Integer> atWork = CompletableFuture.supplyAsync(ExpiredSecretTest::complete);
        assertThat(engine.prompts.poll(10, TimeUnit.SECONDS)).isNotNull();
        expire();
        assertThat(complete()).isEqualTo(403);
        expired.countDown();
        assertThat(atWork.get()).isEqualTo(200);
    }
}
