package io.moebius.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.matchesPattern;

import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.path.json.JsonPath;
import jakarta.inject.Inject;
import java.io.ByteArrayInputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Bodies that are refused end with the last byte that the server reads of them: closing a connection with bytes unread resets it, and a
 * client may lose its answer.
 */
@QuarkusTest
class EndpointsTest {

    private static final int LARGEST_BODY = 8 << 20;

    @Inject
    Readiness readiness;

    @TestHTTPResource("/")
    URI uri;

    @BeforeEach
    void serve() {
        readiness.ready(Serving.with(new ScriptedEngine(), Duration.ZERO));
    }

    @Test
    void listsTheModel() {
        given().get("/v1/models").then().statusCode(200)
                .body("object", equalTo("list")).body("data.id", hasItem("test/model"));
        given().get("/v1/models/test/model").then().statusCode(200).body("object", equalTo("model"));
        given().get("/v1/models/alias").then().statusCode(200).body("id", equalTo("alias"));
        given().get("/v1/models/other").then().statusCode(404).body("error.code", equalTo("model_not_found"));
    }

    @Test
    void turnsTextToTokensAndBack() {
        List<Integer> tokens = json("{\"prompt\":\"a</s>\"}").post("/v1/tokenize").then().statusCode(200)
                .extract().jsonPath().getList("tokens");
        assertThat(tokens).hasSize(6).startsWith(1, 100);
        json("{\"tokens\":" + tokens + "}").post("/v1/detokenize").then().statusCode(200).body("text", equalTo("a</s>"));
        json("{\"tokens\":[]}").post("/v1/detokenize").then().statusCode(200).body("text", equalTo(""));
    }

    @Test
    void tellsItsHealth() {
        given().get("/health").then().statusCode(200).body("status", equalTo("ready"));
        readiness.phase("loading", 0.25);
        given().get("/health").then().statusCode(503)
                .body("phase", equalTo("loading")).body("progress", equalTo(0.25f));
        readiness.draining();
        given().get("/health").then().statusCode(503).header("Retry-After", "1").body("status", equalTo("draining"));
        readiness.failed("no such file");
        given().get("/health").then().statusCode(503).body("error", equalTo("no such file"));
    }

    @Test
    void tellsItsVersion() {
        given().get("/version").then().statusCode(200)
                .body("name", equalTo("moebius")).body("model", equalTo("test/model"));
    }

    @Test
    void givesEveryReplyARequestId() {
        given().header("X-Request-Id", "abc-1").get("/health").then().header("x-request-id", "abc-1");
        given().header("X-Request-Id", "a b\"c").get("/nowhere").then().header("x-request-id", matchesPattern("[0-9a-f-]{36}"));
    }

    @Test
    void keepsUnknownPathsAndMethodsInTheEnvelope() {
        given().get("/nowhere").then().statusCode(404).body("error.code", equalTo("not_found"));
        given().post("/nowhere/else").then().statusCode(404).body("error.code", equalTo("not_found"));
        given().get("/v1/completions").then().statusCode(405).body("error.code", equalTo("method_not_allowed"));
        given().contentType("text/plain").body("{}").post("/v1/completions").then().statusCode(415)
                .body("error.code", equalTo("unsupported_media_type"));
    }

    @Test
    void answersABodyOfMegabytesAndRefusesOneOverTheLimit() {
        json("{\"prompt\":\"" + "a".repeat(3 << 20) + "\"}").post("/v1/completions").then().statusCode(400)
                .body("error.code", equalTo("context_length_exceeded"));
        String before = "{\"prompt\":\"", after = "\"}";
        json(before + "a".repeat(LARGEST_BODY + 1 - before.length() - after.length()) + after).post("/v1/completions").then().statusCode(413)
                .body("error.code", equalTo("request_too_large"));
        json("{\"prompt\":\"a\"}").post("/v1/completions").then().statusCode(200);
    }

    @Test
    void refusesABodyOfUnknownLengthOverTheLimit() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri.resolve("/v1/completions"))
                .version(HttpClient.Version.HTTP_1_1)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[LARGEST_BODY + 1])))
                .build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> reply = client.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(reply.statusCode()).isEqualTo(413);
            assertThat(JsonPath.from(reply.body()).getString("error.code")).isEqualTo("request_too_large");
        }
    }

    @Test
    void closesTheConnectionOfABodyWithoutEnd() throws Exception {
        try (Socket client = new Socket(uri.getHost(), uri.getPort())) {
            client.getOutputStream().write(("POST /v1/completions HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 900000000000000000\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            client.getOutputStream().write(new byte[LARGEST_BODY + 1]);
            assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 413 ").contains("request_too_large").endsWith("}");
        }
        json("{\"prompt\":\"a\"}").post("/v1/completions").then().statusCode(200);
    }

    @Test
    void closesTheConnectionOfABodyInChunksWithoutEnd() throws Exception {
        try (RawClient client = RawClient.of(uri, "Transfer-Encoding: chunked")) {
            String piece = "a".repeat(1 << 20);
            client.send("100000\r\n" + piece);
            for (int i = 1; i < 9; i++) {
                client.send("\r\n100000\r\n" + piece);
            }
            assertThat(client.head()).startsWith("HTTP/1.1 413 ");
            assertThat(client.rest()).contains("request_too_large").endsWith("}");
        }
    }

    @Test
    void tellsAFullQueueFromAStoppedEngine() {
        readiness.ready(Serving.with(new RefusingEngine(new io.moebius.engine.QueueFullException(9)), Duration.ZERO));
        json("{\"prompt\":\"a\"}").post("/v1/completions").then().statusCode(429).header("Retry-After", "1")
                .body("error.type", equalTo("rate_limit_error"));
        readiness.ready(Serving.with(new RefusingEngine(new IllegalStateException("closed")), Duration.ZERO));
        json("{\"prompt\":\"a\"}").post("/v1/completions").then().statusCode(503).header("Retry-After", "1");
    }

    private static io.restassured.specification.RequestSpecification json(String body) {
        return given().contentType("application/json").body(body);
    }
}
