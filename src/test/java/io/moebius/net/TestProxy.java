package io.moebius.net;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A forward proxy on the loopback: tunnels for CONNECT, single requests for addresses in full; for who knows its login alone. */
public final class TestProxy implements AutoCloseable {

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final String login;
    /** Method and target of the requests that it took. */
    public final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    /** All that came before a tunnel or an answer, refused requests too. */
    public final List<String> heads = Collections.synchronizedList(new ArrayList<>());

    /** @param login user:password, or null for everybody */
    public TestProxy(String login) throws IOException {
        this.login = login == null ? null : "Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
        Thread.ofVirtual().start(this::accept);
    }

    public int port() {
        return server.getLocalPort();
    }

    /** @param userInfo ends with @, or is empty */
    public String address(String userInfo) {
        return "http://" + userInfo + "127.0.0.1:" + port();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            String head = head(client.getInputStream());
            heads.add(head);
            if (login != null && head.lines().noneMatch(line -> line.equalsIgnoreCase("Proxy-Authorization: " + login))) {
                write(client, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"\r\n"
                        + "Content-Length: 0\r\nConnection: close\r\n\r\n");
                return;
            }
            String[] line = head.lines().findFirst().orElse("").split(" ");
            requests.add(line[0] + " " + line[1]);
            boolean tunnel = line[0].equals("CONNECT");
            URI target = URI.create(tunnel ? "tunnel://" + line[1] : line[1]);
            try (Socket other = new Socket(target.getHost(), target.getPort())) {
                if (tunnel) {
                    write(client, "HTTP/1.1 200 Connected\r\n\r\n");
                    Thread.ofVirtual().start(() -> pass(client, other));
                } else {
                    write(other, "%s %s HTTP/1.1\r\n%s\r\nConnection: close\r\n\r\n".formatted(
                            line[0], target.getRawPath() + (target.getRawQuery() == null ? "" : "?" + target.getRawQuery()),
                            head.lines().skip(1).filter(h -> !h.isEmpty() && !h.matches("(?i)(proxy-.*|connection):.*"))
                                    .collect(Collectors.joining("\r\n"))));
                }
                pass(other, client);
            }
        } catch (IOException gone) {
            // Either side has hung up.
        }
    }

    private static String head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("the client has hung up");
            }
            head.write(next);
        }
        return head.toString(StandardCharsets.ISO_8859_1);
    }

    private static void write(Socket to, String text) throws IOException {
        to.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static void pass(Socket from, Socket to) {
        try {
            OutputStream out = to.getOutputStream();
            from.getInputStream().transferTo(out);
            to.shutdownOutput();
        } catch (IOException gone) {
            // Either side has hung up.
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
