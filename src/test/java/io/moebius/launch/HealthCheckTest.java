package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HealthCheckTest {

    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

    @Test
    void isZeroWhenTheProgramIsReady() throws Exception {
        assertThat(askAServerThatAnswers(200)).isZero();
        assertThat(errors.toString()).isEmpty();
    }

    @Test
    void isOneWithTheStatusWhileTheProgramStarts() throws Exception {
        assertThat(askAServerThatAnswers(503)).isOne();
        assertThat(errors.toString()).contains("503");
    }

    @Test
    void isOneWhenNothingListens() {
        assertThat(run(List.of("--web-server-port", "1"))).isOne();
        assertThat(errors.toString().lines()).hasSize(1).first().asString().contains("port 1");
    }

    @Test
    void refusesAPortThatIsNone() {
        assertThat(run(List.of("--web-server-port=eight"))).isEqualTo(2);
        assertThat(errors.toString()).contains("eight");
    }

    @Test
    void theLastPortOfACommandLineCounts() {
        assertThat(HealthCheck.port(List.of("moebius", "--web-server-port", "1", "--web-server-port=2"))).contains("2");
    }

    private int askAServerThatAnswers(int status) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
        server.createContext("/health", exchange -> {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        });
        server.start();
        try {
            return run(List.of("--web-server-port", Integer.toString(server.getAddress().getPort())));
        } finally {
            server.stop(0);
        }
    }

    private int run(List<String> arguments) {
        return HealthCheck.run(arguments, Map.of(), new PrintStream(errors, true));
    }
}
