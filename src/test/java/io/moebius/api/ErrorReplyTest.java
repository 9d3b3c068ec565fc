package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ErrorReplyTest {

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void saysWhenToTryAgain(int status) {
        assertThat(ErrorReply.headers(status)).isEqualTo(Map.of("Retry-After", "1"));
    }

    @Test
    void saysHowAKeyIsGiven() {
        assertThat(ErrorReply.headers(401)).isEqualTo(Map.of("WWW-Authenticate", "Bearer"));
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 400, 404, 500})
    void hasNoSuchHeaderOtherwise(int status) {
        assertThat(ErrorReply.headers(status)).isEmpty();
    }
}
