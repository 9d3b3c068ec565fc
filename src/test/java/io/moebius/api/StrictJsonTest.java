package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StrictJsonTest {

    private final StrictJson json = new StrictJson();

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] list(String element, int count) {
        return bytes("{\"x\":[%s]}".formatted((element + ",").repeat(count - 1) + element));
    }

    private void refused(byte[] body, String message) {
        assertThatThrownBy(() -> json.object(body)).isInstanceOf(ApiException.class).hasMessage(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "[]", "\"\"", "\"text\""})
    void refusesMoreElementsThanMemoryIsMeantFor(String element) {
        int most = BoundedParser.MOST_NODES - 3;
        assertThat(json.object(list(element, most)).get("x")).hasSize(most);
        refused(list(element, most + 1), "the body has more than 262144 fields, strings, objects and lists; send fewer");
    }

    @Test
    void refusesMoreFieldsThanMemoryIsMeantFor() {
        int most = BoundedParser.MOST_NODES - 1;
        assertThat(json.object(fields(most))).hasSize(most);
        refused(fields(most + 1), "the body has more than 262144 fields, strings, objects and lists; send fewer");
    }

    private static byte[] fields(int count) {
        return bytes(IntStream.range(0, count).mapToObj("\"%d\":0"::formatted).collect(Collectors.joining(",", "{", "}")));
    }

    @Test
    void takesMillionsOfTokenIdsAndNoMore() {
        int most = BoundedParser.MOST_NUMBERS;
        assertThat(json.object(list("31999", most)).get("x")).hasSize(most);
        refused(list("31999", most + 1), "the body has more than 2000000 numbers; send fewer");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"n\":2147483648} | n is 2147483648; it must be from -2147483648 to 2147483647",
        "{\"n\":99999999999999999999} | n is 99999999999999999999; it must be from -2147483648 to 2147483647",
        "{\"n\":2.0} | n is 2.0; it must be a whole number, without a decimal point",
        "{\"n\":\"5\"} | n is \"5\"; it must be a whole number",
        "{\"n\":true} | n is true; it must be a whole number",
        "{\"n\":{\"a\":1}} | n is an object; it must be a whole number",
        "{\"temperature\":\"1\"} | temperature is \"1\"; it must be a finite number",
        "{\"stream\":1} | stream is 1; it must be true or false",
        "{\"stream_options\":{\"include_usage\":\"a\\nb\"}} | stream_options.include_usage is \"a\\nb\"; it must be true or false",
        "{\"stream_options\":[1]} | stream_options is a list; it must be an object",
        "{\"model\":[]} | model is a list; it must be a string",
        "{\"eos_token\":5} | eos_token is 5; it must be a list",
        "{\"eos_token\":[2,2.5]} | eos_token[1] is 2.5; it must be a whole number, without a decimal point",
    })
    void saysWhatAFieldIsAndWhatItMustBe(String body, String message) {
        assertThatThrownBy(() -> json.read(json.object(bytes(body)), GenerationRequest.class)).hasMessage(message);
    }

    @Test
    void doesNotRepeatLongValues() {
        ObjectNode text = json.object(bytes("{\"n\":\"%s\"}".formatted("a".repeat(1000))));
        assertThatThrownBy(() -> json.read(text, GenerationRequest.class)).hasMessage("n is a string of 1000 characters; it must be a whole number");
        ObjectNode number = json.object(bytes("{\"n\":%s}".formatted("9".repeat(400))));
        assertThatThrownBy(() -> json.read(number, GenerationRequest.class))
                .hasMessage("n is a number of 400 characters; it must be from -2147483648 to 2147483647");
    }

    @Test
    void keepsNoNameThatAClientChose() {
        String name = "name ".concat("of nobody else");
        String read = json.object(bytes("{\"%s\":1}".formatted(name))).fieldNames().next();
        assertThat(read).isEqualTo(name).isNotSameAs(name.intern());
    }

    @Test
    void refusesWhatFollowsTheObjectAndASecondFieldOfAName() {
        assertThatThrownBy(() -> json.object(bytes("{} {}"))).hasMessageContaining("not valid JSON");
        assertThatThrownBy(() -> json.object(bytes("{\"a\":1,\"a\":2}"))).hasMessageContaining("not valid JSON");
    }
}
