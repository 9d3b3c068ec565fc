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
import java.util.Map;
import java.util.Optional;

/**
 * {@code moebius healthcheck}: asks the program that runs in the same container whether it is ready. An image without a shell has
 * nothing else to ask with.
 */
final class HealthCheck {

    static final String COMMAND = "healthcheck";

    private static final String FLAG = "--web-server-port";
    private static final int DEFAULT_PORT = 8000;
    private static final int TIMEOUT_MILLIS = 4000;

    private HealthCheck() {}

    /**
     * Asks {@code /health} on the loopback, at the port of {@code arguments}, else of the container's first process, else of the
     * environment.
     *
     * @return 0 when it answers 200, else 1 with one line on {@code errors}; 2 for a port that is none
     */
    static int run(List<String> arguments, Map<String, String> environment, PrintStream errors) {
        String port = port(arguments)
                .or(() -> port(firstProcess()))
                .orElse(environment.getOrDefault("MOEBIUS_WEB_SERVER_PORT", Integer.toString(DEFAULT_PORT)));
        if (!port.matches("\\d{1,5}") || Integer.parseInt(port) > 65535) {
            errors.println("moebius: healthcheck: " + FLAG + " is " + port + "; give a port from 0 to 65535");
            return 2;
        }
        try {
            String answer = statusLine(Integer.parseInt(port));
            if (answer.contains(" 200 ")) {
                return 0;
            }
            errors.println("moebius: healthcheck: port " + port + " answers " + answer);
        } catch (IOException e) {
            errors.println("moebius: healthcheck: port " + port + ": " + e.getMessage());
        }
        return 1;
    }

    static Optional<String> port(List<String> arguments) {
        for (int i = arguments.size() - 1; i >= 0; i--) {
            String argument = arguments.get(i);
            if (argument.startsWith(FLAG + "=")) {
                return Optional.of(argument.substring(FLAG.length() + 1));
            }
            if (argument.equals(FLAG) && i + 1 < arguments.size()) {
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
