package io.moebius.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The web port behind API keys. */
class ApiKeysIT {

    @TempDir
    private Path folder;

    private String add(Path file, String name) {
        try (Program tool = Program.run("keys", "add", "--file", file.toString(), "--name", name)) {
            assertThat(tool.awaitExit()).as(tool.errors()).isZero();
            return tool.output().strip();
        }
    }

    private static int status(String url, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(request.build(), HttpResponse.BodyHandlers.discarding()).statusCode();
        }
    }

    @Test
    void letsInWhoHasAKeyAndNobodyElse() throws Exception {
        Path file = folder.resolve("keys.json");
        String alice = add(file, "alice");
        String bob = add(file, "bob");
        assertThat(Files.readString(file)).contains("alice", "bob").doesNotContain(alice, bob);
        try (Program program = Program.start("--api-keys-file", file.toString()).awaitReady()) {
            for (String path : new String[] {"/v1/models", "/version", "/v1/chat/completions", "/nothing", "/v1/../v1/models", "//v1/models"}) {
                assertThat(status(program.url() + path)).as(path).isEqualTo(401);
            }
            assertThat(status(program.url() + "/v1/models", "Authorization", "Bearer " + alice)).isEqualTo(200);
            assertThat(status(program.url() + "/v1/models", "X-Api-Key", bob)).isEqualTo(200);
            assertThat(status(program.url() + "/v1/models", "X-Api-Key", bob + "x")).isEqualTo(401);
            assertThat(status(program.url() + "/v1/models?api_key=" + bob)).isEqualTo(401);
            assertThat(program.metrics()).contains("key=\"alice\",outcome=\"taken\"").doesNotContain(alice);
        }
    }

    @Test
    void noSpellingOfAPathGoesRoundTheKeys() throws Exception {
        Path file = folder.resolve("keys.json");
        add(file, "alice");
        try (Program program = Program.start("--api-keys-file", file.toString()).awaitReady()) {
            for (String path : new String[] {
                "/v1/models", "/health/../v1/models", "/health/%2e%2e/v1/models", "/health/..%2fv1/models", "/health;/../v1/models", "/health/",
                "/health/x", "/HEALTH", "/v1/models?/health", "http://127.0.0.1/v1/models", "/%zz"}) {
                for (String method : new String[] {"GET", "HEAD", "OPTIONS", "POST"}) {
                    assertThat(program.statusOf(method + " " + path)).as("%s %s", method, path).isIn(400, 401);
                }
            }
            assertThat(program.statusOf("OPTIONS *")).as("what is no path").isEqualTo(404);
            assertThat(program.statusOf("GET /health?x")).isEqualTo(200);
        }
    }

    @Test
    void readsNoBodyWithoutEndOfWhoHasNoKey() throws Exception {
        Path file = folder.resolve("keys.json");
        add(file, "alice");
        try (Program program = Program.start("--api-keys-file", file.toString()).awaitReady();
                Socket client = new Socket(URI.create(program.url()).getHost(), URI.create(program.url()).getPort())) {
            client.getOutputStream().write(("POST /v1/completions HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 30000000\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            client.getOutputStream().write(new byte[(1 << 20) + 1]);
            assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 401 ").contains("Bearer", "Connection: close").endsWith("}");
            assertThat(status(program.url() + "/health")).isEqualTo(200);
        }
    }

    @Test
    void answersWhoAsksWhetherToSendABodyBeforeItIsSent() throws Exception {
        Path file = folder.resolve("keys.json");
        add(file, "alice");
        try (Program program = Program.start("--api-keys-file", file.toString()).awaitReady();
                Socket client = new Socket(URI.create(program.url()).getHost(), URI.create(program.url()).getPort())) {
            client.getOutputStream().write(("POST /v1/completions HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 20\r\nExpect: 100-continue\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)).startsWith("HTTP/1.1 401 ").endsWith("}");
        }
    }

    @Test
    void answersWhoSendsAPromptWithAWrongKey() throws Exception {
        Path file = folder.resolve("keys.json");
        add(file, "alice");
        try (Program program = Program.start("--api-keys-file", file.toString()).awaitReady()) {
            assertThat(program.post("/v1/completions", "{\"prompt\":\"" + "a".repeat(1_000_000) + "\"}").statusCode()).isEqualTo(401);
        }
    }

    @Test
    void aKeyIsAddedToARunningServer() throws Exception {
        Path file = folder.resolve("keys.json");
        add(file, "alice");
        try (Program program = Program.start("--api-keys-file", file.toString()).awaitReady()) {
            String bob = add(file, "bob");
            while (status(program.url() + "/v1/models", "X-Api-Key", bob) == 401) {
                Thread.onSpinWait();
            }
            assertThat(status(program.url() + "/v1/models", "X-Api-Key", bob)).isEqualTo(200);
        }
    }

    @Test
    void aFileThatCannotBeReadIsOneLine() throws IOException {
        try (Program program = Program.start("--api-keys-file", folder.resolve("absent").toString())) {
            assertThat(program.awaitExit()).isEqualTo(2);
            assertThat(program.errors().lines().filter(line -> line.startsWith("moebius: "))).hasSize(1);
        }
    }
}
