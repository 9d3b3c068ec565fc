package io.moebius.launch;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * {@code moebius healthcheck}: asks the program that runs in the same container whether it is ready. An image without a shell has
 * nothing else to ask with.
 */
final class HealthCheck {

    private static final Flag PORT = Flag.of(
            "web-server-port", new FlagType.Whole(0, 65535), null, "Port of the API; the default is that of the container's program.");

    static final Subcommand SUBCOMMAND = new Subcommand(
            "healthcheck", "", List.of(PORT), "Asks the program in the same container whether it is ready.", HealthCheck::run);

    private static final int TIMEOUT_MILLIS = 4000;

    private HealthCheck() {}

    /**
     * Asks {@code /health} on the loopback, at the port of {@code options}, else of the container's first process, else of the
     * environment.
     *
     * @return 0 when it answers 200, else 1 with one line on the shell's errors
     */
    static int run(Subcommand.Options options, Subcommand.Shell shell) {
        PrintStream errors = shell.errors();
        String port = options.text(PORT)
                .or(() -> port(firstProcess()))
                .orElse(shell.environment().getOrDefault(
                        ServerFlags.WEB_SERVER_PORT.variable(), ServerFlags.WEB_SERVER_PORT.defaultValue()));
        try {
            String answer = statusLine(Integer.parseInt(port));
            if (answer.contains(" 200 ")) {
                return ExitCode.OK.status();
            }
            errors.println("moebius: healthcheck: port " + port + " answers " + answer);
        } catch (IOException | IllegalArgumentException e) {
            errors.println("moebius: healthcheck: port " + port + ": " + e.getMessage());
        }
        return ExitCode.UNTRUE.status();
    }

    static Optional<String> port(List<String> arguments) {
        for (int i = arguments.size() - 1; i >= 0; i--) {
            String argument = arguments.get(i);
            if (argument.startsWith(PORT.option() + "=")) {
                return Optional.of(argument.substring(PORT.option().length() + 1));
            }
            if (argument.equals(PORT.option()) && i + 1 < arguments.size()) {
                return Optional.of(arguments.get(i + 1));
            }
        }
        return Optional.empty();
    }

    private static List<String> firstProcess() {
        try {
            return List.of(Files.readString(Path.of("/proc/1/cmdline"), StandardCharsets.ISO_8859_1).split("\0"));
        } catch (IOException unreadable) {
            return List.of();
        }
    }

    private static String statusLine(int port) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream()
                    .write("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            String line = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
                    .readLine();
            return line == null ? "nothing" : line + " ";
        }
    }
}
