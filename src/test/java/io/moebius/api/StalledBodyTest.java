package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.path.json.JsonPath;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A body that stops coming, where the server waits for three seconds. */
@QuarkusTest
@TestProfile(StalledBodyTest.Impatient.class)
class StalledBodyTest {

    public static final class Impatient implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("quarkus.http.read-timeout", "4s");
        }
    }

    @Inject
    Readiness readiness;

    @TestHTTPResource("/")
    URI uri;

    @BeforeEach
    void serve() {
        readiness.ready(Serving.with(new ScriptedEngine(), Duration.ZERO));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: 100", "Transfer-Encoding: chunked"})
    void isAnsweredWith408InTheEnvelope(String length) throws IOException {
        try (RawClient client = RawClient.of(uri, length)) {
            client.send(length.startsWith("Content") ? "{\"prompt\":" : "a\r\n{\"prompt\":\r\n");
            assertThat(client.head()).startsWith("HTTP/1.1 408 ");
            JsonPath error = JsonPath.from(client.rest()).setRootPath("error");
            assertThat(error.getString("message")).startsWith("the rest of the body did not come");
            assertThat(error.getString("type")).isEqualTo("invalid_request_error");
            assertThat(error.getString("code")).isEqualTo("request_timeout");
        }
    }
}
