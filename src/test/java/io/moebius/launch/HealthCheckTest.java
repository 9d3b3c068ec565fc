package io.moebius.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
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
        assertThatThrownBy(() -> run(List.of("--web-server-port=eight")))
                .isInstanceOf(StartException.class)
                .hasMessageContaining("eight");
    }

    @Test
    void isOneForAPortOfTheEnvironmentThatIsNone() {
        assertThat(run(List.of(), Map.of("MOEBIUS_WEB_SERVER_PORT", "eight"))).isOne();
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
        return run(arguments, Map.of());
    }

    private int run(List<String> arguments, Map<String, String> environment) {
        String[] words = Stream.concat(Stream.of("healthcheck"), arguments.stream()).toArray(String[]::new);
        var request = (CommandLine.Request.Run) CommandLine.parse(words, environment);
        return request.subcommand().action().run(
                request.options(),
                new Subcommand.Shell(environment, InputStream.nullInputStream(), System.out, new PrintStream(errors, true)));
    }
}
