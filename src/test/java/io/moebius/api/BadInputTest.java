package io.moebius.api;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.junit.QuarkusTest;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import jakarta.inject.Inject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each bad request gets a 4xx in the envelope that names the field, and the next good request is served. */
@QuarkusTest
class BadInputTest {

    private static final String ANY = null;
    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";

    @Inject
    Readiness readiness;

    @BeforeEach
    void serve() {
        readiness.ready(Serving.with(new ScriptedEngine(), Duration.ZERO));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("fields")
    void refusesFieldOfBothApis(String field, String param) {
        refuses("/v1/completions", "{\"prompt\":\"hi\"," + field + "}", param);
        refuses("/v1/chat/completions", "{" + MESSAGES + "," + field + "}", param);
        servesTheNext();
    }

    static Stream<Arguments> fields() {
        String nine = "9".repeat(400);
        return Stream.of(
                bad("\"n\":0", "n"),
                bad("\"n\":-1", "n"),
                bad("\"n\":129", "n"),
                bad("\"n\":2.5", "n"),
                bad("\"n\":\"5\"", "n"),
                bad("\"n\":true", "n"),
                bad("\"n\":99999999999", "n"),
                bad("\"n\":[1]", "n"),
                bad("\"max_tokens\":0", "max_tokens"),
                bad("\"max_tokens\":-5", "max_tokens"),
                bad("\"max_tokens\":2048", "max_tokens"),
                bad("\"max_tokens\":2147483647", "max_tokens"),
                bad("\"max_tokens\":" + nine, "max_tokens"),
                bad("\"max_completion_tokens\":0", "max_completion_tokens"),
                bad("\"max_total_tokens\":1", "max_total_tokens"),
                bad("\"max_tokens\":1,\"max_total_tokens\":9", "max_total_tokens"),
                bad("\"min_tokens\":-1", "min_tokens"),
                bad("\"min_tokens\":9,\"max_tokens\":8", "min_tokens"),
                bad("\"min_tokens\":2147483647", "min_tokens"),
                bad("\"temperature\":-0.1", "temperature"),
                bad("\"temperature\":2.1", "temperature"),
                bad("\"temperature\":1e400", "temperature"),
                bad("\"temperature\":-1e400", "temperature"),
                bad("\"temperature\":\"NaN\"", "temperature"),
                bad("\"temperature\":\"Infinity\"", "temperature"),
                bad("\"temperature\":\"1\"", "temperature"),
                bad("\"temperature\":NaN", ANY),
                bad("\"temperature\":Infinity", ANY),
                bad("\"temperature\":{}", "temperature"),
                bad("\"top_p\":0", "top_p"),
                bad("\"top_p\":1.01", "top_p"),
                bad("\"top_p\":1e-50", "top_p"),
                bad("\"top_k\":-1", "top_k"),
                bad("\"top_k\":1.5", "top_k"),
                bad("\"min_p\":-0.1", "min_p"),
                bad("\"min_p\":1.1", "min_p"),
                bad("\"repetition_penalty\":0", "repetition_penalty"),
                bad("\"repetition_penalty\":1e39", "repetition_penalty"),
                bad("\"presence_penalty\":-2.5", "presence_penalty"),
                bad("\"frequency_penalty\":3", "frequency_penalty"),
                bad("\"logit_bias\":{\"300\":1}", "logit_bias"),
                bad("\"logit_bias\":{\"-1\":1}", "logit_bias"),
                bad("\"logit_bias\":{\"x\":1}", "logit_bias"),
                bad("\"logit_bias\":{\"\":1}", "logit_bias"),
                bad("\"logit_bias\":{\"99999999999\":1}", "logit_bias"),
                bad("\"logit_bias\":{\"1\":100.5}", "logit_bias"),
                bad("\"logit_bias\":{\"1\":1e400}", "logit_bias"),
                bad("\"logit_bias\":{\"1\":\"1\"}", "logit_bias"),
                bad("\"logit_bias\":{\"1\":null}", "logit_bias"),
                bad("\"logit_bias\":[1]", "logit_bias"),
                bad("\"stop\":5", "stop"),
                bad("\"stop\":\"\"", "stop"),
                bad("\"stop\":[\"a\",1]", "stop"),
                bad("\"stop\":[\"a\",null]", "stop"),
                bad("\"stop\":[" + "\"a\",".repeat(16) + "\"a\"]", "stop"),
                bad("\"stop\":\"" + "a".repeat(1025) + "\"", "stop"),
                bad("\"seed\":18446744073709551616", "seed"),
                bad("\"seed\":1.5", "seed"),
                bad("\"seed\":\"1\"", "seed"),
                bad("\"seed\":[1,2]", "seed"),
                bad("\"seed\":[null]", "seed"),
                bad("\"eos_token\":[300]", "eos_token"),
                bad("\"eos_token\":[null]", "eos_token"),
                bad("\"stream\":\"yes\"", "stream"),
                bad("\"stream\":1", "stream"),
                bad("\"stream_options\":{\"include_usage\":true}", "stream_options"),
                bad("\"stream\":true,\"stream_options\":{\"include_usage\":\"yes\"}", "stream_options.include_usage"),
                bad("\"model\":\"other\"", "model"),
                bad("\"model\":\"\"", "model"),
                bad("\"model\":\"a\\r\\nb\"", "model"),
                bad("\"model\":5", "model"),
                bad("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", "tools"),
                bad("\"tool_choice\":\"required\"", "tool_choice"),
                bad("\"functions\":[{}]", "functions"),
                bad("\"response_format\":{\"type\":\"json_object\"}", "response_format"),
                bad("\"bad_words\":[\"a\"]", "bad_words"),
                bad("\"best_of\":2", "best_of"),
                bad("\"echo\":true", "echo"),
                bad("\"suffix\":\"a\"", "suffix"),
                bad("\"no_repeat_ngram\":3", "no_repeat_ngram"),
                bad("\"xtc_probability\":0.5", "xtc_probability"),
                bad("\"forced_output_tokens\":[1]", "forced_output_tokens"),
                bad("\"parse_reasoning\":true", "parse_reasoning"),
                bad("\"n\":1,\"n\":2", ANY),
                bad("\"x\":" + "[".repeat(100_000) + "]".repeat(100_000), ANY),
                bad("\"x\":[" + "{},".repeat(1_000_000) + "{}]", ANY),
                bad("\"x\":" + "1".repeat(2000), ANY));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bodies")
    void refusesBody(String path, String body, String param) {
        refuses(path, body, param);
        servesTheNext();
    }

    static Stream<Arguments> bodies() {
        String chat = "/v1/chat/completions";
        String completions = "/v1/completions";
        return Stream.of(
                Arguments.of(chat, "{}", "messages"),
                Arguments.of(chat, "{\"messages\":null}", "messages"),
                Arguments.of(chat, "{\"messages\":[]}", "messages"),
                Arguments.of(chat, "{\"messages\":\"hi\"}", "messages"),
                Arguments.of(chat, "{\"messages\":[123]}", "messages[0]"),
                Arguments.of(chat, "{\"messages\":[null]}", "messages[0]"),
                Arguments.of(chat, "{\"messages\":[{}]}", "messages[0].role"),
                Arguments.of(chat, message("123", "\"a\""), "messages[0].role"),
                Arguments.of(chat, message("\"robot\"", "\"a\""), "messages[0].role"),
                Arguments.of(chat, message("\"user\"", "123"), "messages[0].content"),
                Arguments.of(chat, message("\"user\"", "null"), "messages[0].content"),
                Arguments.of(chat, message("\"user\"", "[]"), "messages[0].content"),
                Arguments.of(chat, message("\"user\"", "[\"a\"]"), "messages[0].content"),
                Arguments.of(chat, message("\"user\"", "[{\"type\":\"text\",\"text\":1}]"), "messages[0].content"),
                Arguments.of(chat, message("\"user\"", "[{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://169.254.169.254/\"}}]"), "messages[0].content"),
                Arguments.of(chat, message("\"user\"", "\"\\ud800\""), "messages[0].content"),
                Arguments.of(chat, message("\"user\"", "\"refuse me\""), "messages"),
                Arguments.of(chat, message("\"user\"", "\"" + "a".repeat(5000) + "\""), "messages"),
                Arguments.of(chat, "{" + MESSAGES + ",\"logprobs\":5}", "logprobs"),
                Arguments.of(chat, "{" + MESSAGES + ",\"logprobs\":true,\"top_logprobs\":21}", "top_logprobs"),
                Arguments.of(chat, "{" + MESSAGES + ",\"logprobs\":true,\"top_logprobs\":-1}", "top_logprobs"),
                Arguments.of(chat, "{" + MESSAGES + ",\"top_logprobs\":2}", "top_logprobs"),
                Arguments.of(completions, "{}", "prompt"),
                Arguments.of(completions, "{\"prompt\":null}", "prompt"),
                Arguments.of(completions, "{\"prompt\":\"\"}", "prompt"),
                Arguments.of(completions, "{\"prompt\":[]}", "prompt"),
                Arguments.of(completions, "{\"prompt\":[[]]}", "prompt"),
                Arguments.of(completions, "{\"prompt\":[\"\"]}", "prompt"),
                Arguments.of(completions, "{\"prompt\":[1,2]}", "prompt"),
                Arguments.of(completions, "{\"prompt\":{}}", "prompt"),
                Arguments.of(completions, "{\"prompt\":5}", "prompt"),
                Arguments.of(completions, "{\"prompt\":\"a\",\"tokens\":[5]}", "prompt"),
                Arguments.of(completions, "{\"prompt\":[\"a\",\"b\"],\"n\":100}", "prompt"),
                Arguments.of(completions, "{\"prompt\":\"\\udc00x\"}", "prompt"),
                Arguments.of(completions, "{\"prompt\":\"" + "a".repeat(2047) + "\"}", "prompt"),
                Arguments.of(completions, "{\"tokens\":[]}", "tokens"),
                Arguments.of(completions, "{\"tokens\":[300]}", "tokens"),
                Arguments.of(completions, "{\"tokens\":[-1]}", "tokens"),
                Arguments.of(completions, "{\"tokens\":[null]}", "tokens"),
                Arguments.of(completions, "{\"tokens\":[1.5]}", "tokens[0]"),
                Arguments.of(completions, "{\"tokens\":[\"1\"]}", "tokens[0]"),
                Arguments.of(completions, "{\"tokens\":5}", "tokens"),
                Arguments.of(completions, "{\"prompt\":\"a\",\"logprobs\":21}", "logprobs"),
                Arguments.of(completions, "{\"prompt\":\"a\",\"logprobs\":-1}", "logprobs"),
                Arguments.of(completions, "{\"prompt\":\"a\",\"logprobs\":true}", "logprobs"),
                Arguments.of(completions, "", ANY),
                Arguments.of(completions, "[]", ANY),
                Arguments.of(completions, "null", ANY),
                Arguments.of(completions, "\"hi\"", ANY),
                Arguments.of(completions, "{\"prompt\":\"a\"", ANY),
                Arguments.of(completions, "{\"prompt\":\"a\"} x", ANY),
                Arguments.of(completions, "{\"prompt\":\"a\"}{}", ANY),
                Arguments.of(completions, "{'prompt':'a'}", ANY),
                Arguments.of(completions, "\ufeff{\"prompt\":\"a\"}", ANY),
                Arguments.of("/v1/tokenize", "{}", "prompt"),
                Arguments.of("/v1/tokenize", "{\"prompt\":5}", "prompt"),
                Arguments.of("/v1/detokenize", "{}", "tokens"),
                Arguments.of("/v1/detokenize", "{\"tokens\":[299]}", "tokens"),
                Arguments.of("/v1/detokenize", "{\"tokens\":[null]}", "tokens"));
    }

    @ParameterizedTest
    @MethodSource("bytes")
    void refusesWhatIsNoUtf8(byte[] body) {
        check(given().config(CONFIG).contentType("application/json").body(body).post("/v1/completions"), ANY);
        servesTheNext();
    }

    static Stream<byte[]> bytes() {
        return Stream.of(
                "{\"prompt\":\"\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1),
                "{\"prompt\":\"a\"}".getBytes(StandardCharsets.UTF_16BE),
                "{\"prompt\":\"a\"}".getBytes(StandardCharsets.UTF_16));
    }

    @ParameterizedTest
    @MethodSource("harmless")
    void servesWhatAsksForNothing(String field) {
        json("{\"prompt\":\"hi\"," + field + "}").post("/v1/completions").then().statusCode(200);
    }

    static Stream<String> harmless() {
        return Stream.of(
                "\"unknown\":{\"a\":[1]}", "\"n\":null", "\"stop\":[]", "\"tools\":[]", "\"tool_choice\":\"none\"",
                "\"tool_choice\":null", "\"response_format\":{\"type\":\"text\"}", "\"best_of\":1", "\"echo\":false",
                "\"no_repeat_ngram\":1", "\"temperature\":-0.0", "\"temperature\":1", "\"logit_bias\":{}", "\"user\":\"me\"",
                "\"stream\":false", "\"model\":\"alias\"", "\"seed\":0", "\"seed\":-1", "\"logprobs\":0", "\"max_tokens\":2045");
    }

    @Test
    void saysWhereJsonBreaksOff() {
        String message = json("{" + MESSAGES.substring(0, MESSAGES.length() - 1)).post("/v1/chat/completions").jsonPath().getString("error.message");
        assertThat(message).contains("start marker at line 1, column 13", "(line 1, column 44)").doesNotContain("Source");
    }

    private static final RestAssuredConfig CONFIG = RestAssuredConfig.config()
            .encoderConfig(EncoderConfig.encoderConfig().appendDefaultContentCharsetToContentTypeIfUndefined(false));

    private static String message(String role, String content) {
        return "{\"messages\":[{\"role\":" + role + ",\"content\":" + content + "}]}";
    }

    private static Arguments bad(String field, String param) {
        return Arguments.of(field, param);
    }

    private static void refuses(String path, String body, String param) {
        check(json(body).post(path), param);
    }

    private static void check(Response reply, String param) {
        assertThat(reply.statusCode()).as(reply.asString()).isBetween(400, 422);
        JsonPath answer = reply.jsonPath();
        Map<String, Object> error = answer.getMap("error");
        assertThat(error).containsOnlyKeys("message", "type", "param", "code");
        assertThat(error.get("param")).as(reply.asString()).isEqualTo(param);
        assertThat((String) error.get("message")).isNotBlank().doesNotContain("\n", "java.", "io.moebius").hasSizeLessThan(400);
        assertThat(error.get("type")).isEqualTo("invalid_request_error");
    }

    private static void servesTheNext() {
        json("{\"prompt\":\"hi\"}").post("/v1/completions").then().statusCode(200);
    }

    private static io.restassured.specification.RequestSpecification json(String body) {
        return given().config(CONFIG).contentType("application/json").body(body.getBytes(StandardCharsets.UTF_8));
    }
}
