package io.moebius.endtoend;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The packaged program as a process of its own, on free ports of the loopback. */
final class Program implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(120);

    /** New for every run of the tests: what an older build unpacked looks the same to JavaCPP. */
    private static final Path UNPACKED = unpacked();

    private final Process process;
    private final Path output;
    private final Path errors;
    private final int port;
    private final int metricsPort;
    private final HttpClient http = HttpClient.newHttpClient();

    private Program(Process process, Path output, Path errors, int port, int metricsPort) {
        this.process = process;
        this.output = output;
        this.errors = errors;
        this.port = port;
        this.metricsPort = metricsPort;
    }

    private static Path unpacked() {
        try {
            return Files.createTempDirectory(Path.of("target"), "javacpp");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Starts with {@code flags} after the ports. */
    static Program start(String... flags) {
        return start(Map.of(), flags);
    }

    static Program start(Map<String, String> environment, String... flags) {
        int port = freePort();
        int metricsPort = freePort();
        List<String> arguments = new ArrayList<>(
                List.of("--web-server-port", Integer.toString(port), "--metrics-port", Integer.toString(metricsPort)));
        arguments.addAll(List.of(flags));
        return launch(environment, arguments, port, metricsPort);
    }

    /** Starts with {@code arguments} alone. */
    static Program run(String... arguments) {
        return run(Map.of(), arguments);
    }

    static Program run(Map<String, String> environment, String... arguments) {
        return launch(environment, List.of(arguments), 0, 0);
    }

    private static Program launch(Map<String, String> environment, List<String> arguments, int port, int metricsPort) {
        try {
            List<String> command = new ArrayList<>(command());
            command.addAll(arguments);
            Path errors = Files.createTempFile(Path.of("target"), "program", ".log");
            Path output = Files.createTempFile(Path.of("target"), "program", ".out");
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectError(errors.toFile()).redirectOutput(output.toFile());
            // No test leaves the loopback, whatever proxies the machine is behind.
            builder.environment().keySet().removeIf(name -> name.toLowerCase(Locale.ROOT).endsWith("_proxy"));
            builder.environment().putAll(environment);
            return new Program(builder.start(), output, errors, port, metricsPort);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The native executable where -Dmoebius.executable names it, else the JVM build. */
    private static List<String> command() {
        String executable = System.getProperty("moebius.executable");
        if (executable != null) {
            return List.of(executable);
        }
        String java = ProcessHandle.current().info().command().orElse("java");
        return List.of(
                java, "--enable-native-access=ALL-UNNAMED", "-Dorg.bytedeco.javacpp.cachedir=" + UNPACKED, "-jar",
                "target/quarkus-app/quarkus-run.jar");
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    Program awaitReady() {
        Instant limit = Instant.now().plus(LIMIT);
        while (Instant.now().isBefore(limit) && process.isAlive()) {
            if (status("/health") == 200) {
                return this;
            }
            pause();
        }
        throw new AssertionError("not ready; it wrote:\n" + errors());
    }

    /** Status of a GET, or 0 while nothing answers. */
    int status(String path) {
        try {
            return get(path).statusCode();
        } catch (IOException e) {
            return 0;
        }
    }

    HttpResponse<String> get(String path) throws IOException {
        return send(HttpRequest.newBuilder(URI.create(url() + path)).build());
    }

    /** The text of the metrics page. */
    String metrics() throws IOException {
        return send(HttpRequest.newBuilder(URI.create(metricsUrl() + "/metrics")).build()).body();
    }

    HttpResponse<String> post(String path, String json) throws IOException {
        return send(HttpRequest.newBuilder(URI.create(url() + path))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build());
    }

    private HttpResponse<String> send(HttpRequest request) throws IOException {
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @param receiveBuffer bytes that the client's side holds before it is read */
    Socket connect(int receiveBuffer) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(receiveBuffer);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return socket;
    }

    /** Status of a request that no client would write, as it stands on its first line. */
    int statusOf(String methodAndPath) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write((methodAndPath + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .getBytes(StandardCharsets.UTF_8));
            return Integer.parseInt(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split(" ", 3)[1]);
        }
    }

    /** A fault in native code, as the program itself would meet it. */
    void crash() throws IOException {
        new ProcessBuilder("kill", "-SEGV", Long.toString(process.pid())).start();
    }

    /** SIGTERM. */
    void terminate() {
        process.destroy();
    }

    /** SIGKILL. */
    void kill() {
        process.destroyForcibly();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    int awaitExit() {
        try {
            if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("still running; it wrote:\n" + errors());
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether it ended by itself within {@code time}. */
    boolean endsWithin(Duration time) {
        try {
            return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    String output() {
        return text(output);
    }

    String errors() {
        return text(errors);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    String url() {
        return "http://127.0.0.1:" + port;
    }

    String metricsUrl() {
        return "http://127.0.0.1:" + metricsPort;
    }

    private static void pause() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        awaitExit();
    }
}
