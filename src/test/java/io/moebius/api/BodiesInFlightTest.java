package io.moebius.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** More bodies at once than there is room for: who asks before sending one (Expect) hears whether it fits. */
@QuarkusTest
class BodiesInFlightTest {

    private static final int LARGEST = 8 << 20;
    private static final String SMALL = "{\"prompt\":\"hi\"}";

    @Inject
    Readiness readiness;

    @Inject
    BodyRoom room;

    @TestHTTPResource("/")
    URI uri;

    private final Deque<RawClient> sending = new ArrayDeque<>();

    @BeforeEach
    void serve() {
        readiness.ready(Serving.with(new ScriptedEngine(), Duration.ZERO));
    }

    @AfterEach
    void leave() throws IOException {
        for (RawClient client : sending) {
            client.close();
        }
        awaitTaken(0);
    }

    private void awaitTaken(long bytes) {
        Instant end = Instant.now().plusSeconds(30);
        while (room.taken() > bytes) {
            assertThat(Instant.now()).as("%d bytes are taken", room.taken()).isBefore(end);
            Thread.onSpinWait();
        }
    }

    /** The reply's head; who may send is remembered. */
    private String ask() throws IOException {
        RawClient client = RawClient.of(uri, "Content-Length: " + LARGEST + "\r\nExpect: 100-continue");
        String head = client.head();
        if (head.startsWith("HTTP/1.1 100 ")) {
            sending.add(client);
        } else {
            client.close();
        }
        return head;
    }

    private String fill() throws IOException {
        String head = ask();
        while (head.startsWith("HTTP/1.1 100 ")) {
            head = ask();
        }
        return head;
    }

    private static String status(RawClient client) throws IOException {
        try (client) {
            return client.head().substring(9, 12);
        }
    }

    @Test
    void refusesTheBodyThatDoesNotFitAndServesShortOnes() throws IOException {
        assertThat(fill()).startsWith("HTTP/1.1 429 ").contains("\nRetry-After: 1");
        assertThat(sending).hasSizeGreaterThan(1);
        RawClient small = RawClient.of(uri, "Content-Length: " + SMALL.length());
        small.send(SMALL);
        assertThat(status(small)).isEqualTo("200");
    }

    @Test
    void refusesABodyOfUnknownLengthOnceItDoesNotFitAnyMore() throws IOException {
        fill();
        RawClient client = RawClient.of(uri, "Transfer-Encoding: chunked");
        String piece = "a".repeat(1 << 20);
        for (int i = 0; i < 4; i++) {
            client.send("100000\r\n" + piece + "\r\n");
        }
        client.send("0\r\n\r\n");
        assertThat(status(client)).isEqualTo("429");
        RawClient small = RawClient.of(uri, "Transfer-Encoding: chunked");
        small.send("f\r\n" + SMALL + "\r\n0\r\n\r\n");
        assertThat(status(small)).isEqualTo("200");
    }

    @Test
    void aBodyThatHasBecomeARequestMakesRoomForTheNext() throws IOException {
        fill();
        RawClient client = sending.remove();
        client.send("{\"prompt\":\"" + "a".repeat(LARGEST - 13) + "\"}");
        assertThat(status(client)).isEqualTo("400");
        assertThat(ask()).startsWith("HTTP/1.1 100 ");
        assertThat(ask()).startsWith("HTTP/1.1 429 ");
    }

    @Test
    void aClientThatGoesAwayMakesRoomForTheNext() throws IOException {
        fill();
        long taken = room.taken();
        sending.remove().close();
        awaitTaken(taken - LARGEST);
        assertThat(ask()).startsWith("HTTP/1.1 100 ");
    }
}
