package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
