package io.moebius.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import io.moebius.engine.GeneratedToken;
import io.moebius.engine.NotANumberException;
import io.moebius.engine.Prompt;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
class ChatResourceTest {

    @Inject
    Readiness readiness;

    private final ScriptedEngine engine = new ScriptedEngine();

    @BeforeEach
    void serve() {
        readiness.ready(Serving.with(engine, Duration.ZERO));
    }

    @Test
    void answersWithAWholeObject() {
        JsonPath answer = ok("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
        assertThat(answer.getString("id")).matches("chatcmpl-[0-9a-f]{32}");
        assertThat(answer.getString("object")).isEqualTo("chat.completion");
        assertThat(answer.getString("model")).isEqualTo("test/model");
        assertThat(answer.getString("choices[0].message.content")).isEqualTo("Hello");
        assertThat(answer.getString("choices[0].message.role")).isEqualTo("assistant");
        assertThat(answer.getString("choices[0].finish_reason")).isEqualTo("stop");
        assertThat(answer.getInt("usage.prompt_tokens")).isEqualTo("user: hi\n".length());
        assertThat(answer.getInt("usage.completion_tokens")).isEqualTo(6);
    }

    @Test
    void leavesTheRestOfTheSequenceWhereNoLimitIsGiven() throws InterruptedException {
        ok("{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"h\"},{\"type\":\"text\",\"text\":\"i\"}]}]}");
        Prompt prompt = engine.prompts.take();
        assertThat(prompt.maxTokens()).isEqualTo(Serving.MAX_LENGTH - "user: hi\n".length());
    }

    @Test
    void endsAtALimitAndAtAStopString() {
        JsonPath cut = ok("{\"max_tokens\":3,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
        assertThat(cut.getString("choices[0].message.content")).isEqualTo("Hel");
        assertThat(cut.getString("choices[0].finish_reason")).isEqualTo("length");
        JsonPath stopped = ok("{\"stop\":\"lo\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
        assertThat(stopped.getString("choices[0].message.content")).isEqualTo("Hel");
        assertThat(stopped.getString("choices[0].finish_reason")).isEqualTo("stop");
    }

    @Test
    void streamsWholeEventsInTheOrderThatClientsCountOn() {
        engine.play((prompt, listener, self) -> ScriptedEngine.say("é!", prompt, listener));
        String body = post("{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}")
                .then().statusCode(200).contentType("text/event-stream").extract().asString();
        String head = body.substring(0, body.indexOf("\"choices\""));
        assertThat(head).matches("data: \\{\"id\":\"chatcmpl-[0-9a-f]{32}\",\"object\":\"chat.completion.chunk\",\"created\":\\d+,\"model\":\"test/model\",");
        assertThat(body).isEqualTo(
                head + "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"
                        + head + "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"é\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"
                        + head + "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"!\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"
                        + head + "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":null}\n\n"
                        + head + "\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"total_tokens\":13,\"prompt_tokens_details\":{\"cached_tokens\":0}}}\n\n"
                        + "data: [DONE]\n\n");
    }

    @Test
    void opensAllChoicesInOrderBeforeAnyContent() {
        String body = post("{\"stream\":true,\"n\":4,\"seed\":18446744073709551614,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}").asString();
        String[] events = body.split("\n\n");
        for (int i = 0; i < 4; i++) {
            assertThat(events[i]).contains("\"index\":" + i + ",\"delta\":{\"role\":\"assistant\"");
        }
        assertThat(body.split("\"role\"")).hasSize(5);
        assertThat(body.split("\"finish_reason\":\"stop\"")).hasSize(5);
        assertThat(engine.prompts.stream().map(p -> p.sampling().seed())).containsExactly(-2L, -1L, 0L, 1L);
    }

    @Test
    void showsLogProbabilitiesWithBytes() {
        JsonPath answer = ok("{\"logprobs\":true,\"top_logprobs\":2,\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
        assertThat(answer.getList("choices[0].logprobs.content")).hasSize(1);
        assertThat(answer.getString("choices[0].logprobs.content[0].token")).isEqualTo("H");
        assertThat(answer.getList("choices[0].logprobs.content[0].bytes")).isEqualTo(List.of(72));
        assertThat(answer.getDouble("choices[0].logprobs.content[0].logprob")).isEqualTo(-0.5);
        assertThat(answer.getDouble("choices[0].logprobs.content[0].top_logprobs[1].logprob")).isEqualTo(-9999.0);
    }

    @Test
    void givesAFailureBeforeTheFirstTokenItsStatus() {
        engine.play((prompt, listener, self) -> listener.failed(new NotANumberException(3)));
        Response reply = post("{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
        assertThat(reply.statusCode()).isEqualTo(400);
        assertThat(reply.jsonPath().getString("error.code")).isEqualTo("nan_error");
    }

    @Test
    void endsAStreamThatFailsWithAnErrorEvent() {
        engine.play((prompt, listener, self) -> {
            listener.token(new GeneratedToken(100, Float.NaN, List.of()));
            listener.failed(new IllegalStateException("broken"));
        });
        String body = post("{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}").asString();
        assertThat(body).endsWith("data: {\"error\":{\"message\":\"the model failed on this request: broken\",\"type\":\"server_error\",\"param\":null,\"code\":\"internal_error\"}}\n\n");
        assertThat(body).doesNotContain("[DONE]");
    }

    @Test
    void refusesWith429AfterItsTime() throws InterruptedException {
        readiness.ready(Serving.with(engine, Duration.ofMillis(50)));
        engine.play(ScriptedEngine::silent);
        Response reply = post("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}");
        assertThat(reply.statusCode()).isEqualTo(429);
        assertThat(reply.jsonPath().getString("error.code")).isEqualTo("request_timeout");
        assertThat(engine.cancelled.take()).isNotNull();
    }

    @Test
    void refusesWithRetryAfterWhileNotReady() {
        readiness.phase("reading tensors", 0.5);
        Response reply = post("{}");
        assertThat(reply.statusCode()).isEqualTo(503);
        assertThat(reply.header("Retry-After")).isEqualTo("1");
        assertThat(reply.jsonPath().getString("error.message")).contains("reading tensors, 50 %");
    }

    private static JsonPath ok(String body) {
        return post(body).then().statusCode(200).extract().jsonPath();
    }

    private static Response post(String body) {
        return given().contentType("application/json").body(body).post("/v1/chat/completions");
    }
}
