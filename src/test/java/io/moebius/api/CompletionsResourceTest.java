package io.moebius.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

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
class CompletionsResourceTest {

    @Inject
    Readiness readiness;

    private final ScriptedEngine engine = new ScriptedEngine();

    @BeforeEach
    void serve() {
        readiness.ready(Serving.with(engine, Duration.ZERO));
    }

    @Test
    void answersWithSeedAndTokens() {
        String body = post("{\"prompt\":\"hi\",\"seed\":15349211611234757311,\"max_tokens\":2}").asString();
        assertThat(body).contains("\"seed\":15349211611234757311", "\"object\":\"text_completion\"");
        JsonPath answer = new JsonPath(body);
        assertThat(answer.getString("id")).matches("cmpl-[0-9a-f]{32}");
        assertThat(answer.getString("choices[0].text")).isEqualTo("He");
        assertThat(answer.getList("choices[0].tokens")).isEqualTo(List.of(75, 104));
        assertThat(answer.getString("choices[0].finish_reason")).isEqualTo("length");
    }

    @Test
    void putsTheBeginningTokenBeforeTextAndNotBeforeTokens() throws InterruptedException {
        ok("{\"prompt\":\"a\"}");
        ok("{\"tokens\":[5,299]}");
        assertThat(engine.prompts.take().tokens()).containsExactly(ByteTokenizer.BOS, 100);
        assertThat(engine.prompts.take().tokens()).containsExactly(5, 299);
    }

    @Test
    void countsTheChoicesOfSeveralPromptsOn() {
        JsonPath answer = ok("{\"prompt\":[\"a\",\"bb\"],\"n\":2,\"seed\":[7,9]}");
        assertThat(answer.getList("choices.index")).isEqualTo(List.of(0, 1, 2, 3));
        assertThat(answer.getList("choices.seed")).isEqualTo(List.of(7, 9, 7, 9));
        assertThat(answer.getInt("usage.prompt_tokens")).isEqualTo(5);
        assertThat(engine.prompts.stream().map(p -> p.tokens().length)).containsExactly(2, 2, 3, 3);
    }

    @Test
    void streamsAnEventForEachTokenAndOneForTheEnd() {
        engine.play((prompt, listener, self) -> ScriptedEngine.say("é", prompt, listener));
        String body = post("{\"prompt\":\"hi\",\"stream\":true}").asString();
        String head = body.substring(0, body.indexOf("\"choices\""));
        assertThat(body).isEqualTo(
                head + "\"choices\":[{\"index\":0,\"text\":\"\",\"token\":198,\"finish_reason\":null,\"logprobs\":null}]}\n\n"
                        + head + "\"choices\":[{\"index\":0,\"text\":\"é\",\"token\":172,\"finish_reason\":null,\"logprobs\":null}]}\n\n"
                        + head + "\"choices\":[{\"index\":0,\"text\":\"\",\"token\":2,\"finish_reason\":null,\"logprobs\":null}]}\n\n"
                        + head + "\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"stop\",\"logprobs\":null}]}\n\n"
                        + "data: [DONE]\n\n");
    }

    @Test
    void showsLogProbabilitiesAsParallelLists() {
        JsonPath answer = ok("{\"prompt\":\"hi\",\"logprobs\":1,\"max_tokens\":2}");
        assertThat(answer.getList("choices[0].logprobs.tokens")).isEqualTo(List.of("H", "e"));
        assertThat(answer.getList("choices[0].logprobs.text_offset")).isEqualTo(List.of(0, 1));
        assertThat(answer.getList("choices[0].logprobs.token_logprobs")).isEqualTo(List.of(-0.5f, -0.5f));
        assertThat(answer.getDouble("choices[0].logprobs.top_logprobs[1].e")).isEqualTo(-0.5);
    }

    @Test
    void passesSamplingOn() throws InterruptedException {
        ok("{\"prompt\":\"a\",\"temperature\":0,\"top_k\":5,\"top_p\":0.5,\"min_p\":0.25,\"repetition_penalty\":1.5,"
                + "\"presence_penalty\":-2,\"frequency_penalty\":2,\"logit_bias\":{\"7\":-100},\"min_tokens\":2,\"max_total_tokens\":10}");
        Prompt prompt = engine.prompts.take();
        assertThat(prompt.sampling().temperature()).isZero();
        assertThat(prompt.sampling().topK()).isEqualTo(5);
        assertThat(prompt.sampling().topP()).isEqualTo(0.5f);
        assertThat(prompt.sampling().minP()).isEqualTo(0.25f);
        assertThat(prompt.sampling().repetitionPenalty()).isEqualTo(1.5f);
        assertThat(prompt.sampling().presencePenalty()).isEqualTo(-2);
        assertThat(prompt.sampling().frequencyPenalty()).isEqualTo(2);
        assertThat(prompt.sampling().logitBias()).containsEntry(7, -100f);
        assertThat(prompt.minTokens()).isEqualTo(2);
        assertThat(prompt.maxTokens()).isEqualTo(8);
    }

    private static JsonPath ok(String body) {
        return post(body).then().statusCode(200).extract().jsonPath();
    }

    private static Response post(String body) {
        return given().contentType("application/json").body(body).post("/v1/completions");
    }
}
