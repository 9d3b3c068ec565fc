package io.moebius.api;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;

/** A client of the completions that sends its request piece by piece, as it likes. */
record RawClient(Socket socket, BufferedReader replies) implements AutoCloseable {

    /** The head of a request has been sent. */
    static RawClient of(URI server, String headers) throws IOException {
        Socket socket = new Socket(server.getHost(), server.getPort());
        socket.setSoTimeout(30_000);
        RawClient client =
                new RawClient(socket, new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII)));
        client.send("POST /v1/completions HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n" + headers + "\r\n\r\n");
        return client;
    }

    void send(String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** The next reply's status line and headers. */
    String head() throws IOException {
        String status = replies.readLine();
        return status + replies.lines().takeWhile(line -> !line.isEmpty()).map(line -> "\n" + line).collect(Collectors.joining());
    }

    /** What comes until the server closes the connection. */
    String rest() {
        return replies.lines().collect(Collectors.joining("\n"));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
