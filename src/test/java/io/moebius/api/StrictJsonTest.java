package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StrictJsonTest {

    private final StrictJson json = new StrictJson();

    private static byte[] body(int objects) {
        return "{\"messages\":[%s]}".formatted("{},".repeat(objects - 1) + "{}").getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void refusesMoreObjectsThanMemoryIsMeantFor() {
        int most = BoundedNodes.MOST - 2;
        assertThat(json.object(body(most)).get("messages")).hasSize(most);
        assertThatThrownBy(() -> json.object(body(most + 1)))
                .isInstanceOf(ApiException.class)
                .hasMessage("the body has more than 65536 objects and lists; send fewer");
    }

    @Test
    void refusesWhatFollowsTheObjectAndASecondFieldOfAName() {
        assertThatThrownBy(() -> json.object("{} {}".getBytes(StandardCharsets.UTF_8))).hasMessageContaining("not valid JSON");
        assertThatThrownBy(() -> json.object("{\"a\":1,\"a\":2}".getBytes(StandardCharsets.UTF_8))).hasMessageContaining("not valid JSON");
    }
}
