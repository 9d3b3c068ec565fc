package io.moebius.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A Hugging Face Hub on the loopback, with a second origin for large files, that fails as a test asks it to. */
public final class TestHub implements AutoCloseable {

    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    static final String REPOSITORY = "org/name";

    /** Answers a request for a file in its own way. */
    public interface Fault {
        void answer(HttpExchange exchange, byte[] content) throws IOException;
    }

    private final HttpServer hub = server();
    private final HttpServer store = server();
    private final Map<String, byte[]> files = new LinkedHashMap<>();
    private final Map<String, Deque<Fault>> faults = new HashMap<>();
    final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    final List<String> storeAuthorizations = Collections.synchronizedList(new ArrayList<>());
    final List<String> ranges = Collections.synchronizedList(new ArrayList<>());
    public final AtomicLong bytesSent = new AtomicLong();
    /** In place of the listing. */
    volatile Fault listing;
    volatile String token;
    public volatile long bytesPerMilli = Long.MAX_VALUE;

    public TestHub() {
        hub.createContext("/", this::atHub);
        store.createContext("/", this::atStore);
        hub.start();
        store.start();
    }

    private static HttpServer server() {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            return server;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    public TestHub file(String name, byte[] content) {
        files.put(name, content);
        return this;
    }

    TestHub fault(String name, Fault... these) {
        faults.computeIfAbsent(name, n -> new ArrayDeque<>()).addAll(Arrays.asList(these));
        return this;
    }

    public URI address() {
        return URI.create("http://127.0.0.1:" + hub.getAddress().getPort());
    }

    String storeAddress() {
        return "http://127.0.0.1:" + store.getAddress().getPort();
    }

    public static String etag(String name, byte[] content) {
        try {
            if (name.endsWith(".safetensors")) {
                return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
            }
            MessageDigest git = MessageDigest.getInstance("SHA-1");
            git.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(git.digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void atHub(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        requests.add(path);
        try (exchange) {
            if (token != null && !("Bearer " + token).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
                status(401).answer(exchange, null);
            } else if (path.startsWith("/api/models/")) {
                Fault answer = listing == null ? this::list : listing;
                answer.answer(exchange, null);
            } else {
                String name = path.substring(path.lastIndexOf('/') + 1);
                byte[] content = files.get(name);
                Fault fault = next(name);
                if (fault != null) {
                    fault.answer(exchange, content);
                } else if (name.endsWith(".safetensors")) {
                    exchange.getResponseHeaders().add("X-Linked-Etag", '"' + etag(name, content) + '"');
                    exchange.getResponseHeaders().add("Location", storeAddress() + "/" + name + "?signed=1");
                    exchange.sendResponseHeaders(302, -1);
                } else {
                    exchange.getResponseHeaders().add("ETag", '"' + etag(name, content) + '"');
                    send(exchange, content);
                }
            }
        } catch (IOException gone) {
            // The client, or a fault, has closed the connection.
        }
    }

    private Fault next(String name) {
        synchronized (faults) {
            Deque<Fault> left = faults.get(name);
            return left == null ? null : left.poll();
        }
    }

    /** What is listed without a fault. */
    Fault listing() {
        return this::list;
    }

    private void list(HttpExchange exchange, byte[] none) throws IOException {
        StringBuilder json = new StringBuilder("{\"sha\": \"" + COMMIT + "\", \"siblings\": [");
        String separator = "";
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            String etag = etag(file.getKey(), file.getValue());
            json.append(separator).append("{\"rfilename\": \"%s\", \"size\": %d, \"blobId\": \"%s\"%s}".formatted(
                    file.getKey(), file.getValue().length, etag.length() == 40 ? etag : "f".repeat(40),
                    etag.length() == 64 ? ", \"lfs\": {\"sha256\": \"" + etag + "\"}" : ""));
            separator = ", ";
        }
        text(json + "]}").answer(exchange, null);
    }

    private void atStore(HttpExchange exchange) throws IOException {
        String name = exchange.getRequestURI().getPath().substring(1);
        storeAuthorizations.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
        try (exchange) {
            Fault fault = next("store:" + name);
            if (fault != null) {
                fault.answer(exchange, files.get(name));
            } else {
                exchange.getResponseHeaders().add("ETag", "\"not the hub's\"");
                send(exchange, files.get(name));
            }
        } catch (IOException gone) {
            // The client, or a fault, has closed the connection.
        }
    }

    void send(HttpExchange exchange, byte[] content) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        if (range != null) {
            ranges.add(range);
        }
        int from = begin(exchange, content);
        int end = end(exchange, content);
        try (OutputStream out = exchange.getResponseBody()) {
            for (int at = from; at < end; ) {
                int count = (int) Math.min(Math.min(16384, bytesPerMilli), end - at);
                out.write(content, at, count);
                bytesSent.addAndGet(count);
                at += count;
                if (bytesPerMilli < Long.MAX_VALUE) {
                    out.flush();
                    LockSupport.parkNanos(1_000_000);
                }
            }
        }
    }

    /** Sends the headers for the range that is asked for. @return its first byte */
    static int begin(HttpExchange exchange, byte[] content) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-\\d+", "$1"));
        int end = end(exchange, content);
        if (range != null) {
            exchange.getResponseHeaders().add("Content-Range", "bytes %d-%d/%d".formatted(from, end - 1, content.length));
        }
        exchange.sendResponseHeaders(range == null ? 200 : 206, end - from == 0 ? -1 : end - from);
        return from;
    }

    static int end(HttpExchange exchange, byte[] content) {
        String range = exchange.getRequestHeaders().getFirst("Range");
        return range == null ? content.length : Integer.parseInt(range.replaceAll("bytes=\\d+-(\\d+)", "$1")) + 1;
    }

    static Fault status(int status, String... headers) {
        return (exchange, content) -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
        };
    }

    static Fault text(String body) {
        return (exchange, content) -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
        };
    }

    static Fault bytes(byte[] other) {
        return (exchange, content) -> {
            exchange.sendResponseHeaders(200, other.length);
            exchange.getResponseBody().write(other);
        };
    }

    /** Sends {@code count} bytes from where it is asked to, and hangs up. */
    static Fault drop(int count) {
        return (exchange, content) -> {
            int from = begin(exchange, content);
            exchange.getResponseBody().write(content, from, Math.min(count, end(exchange, content) - from));
            exchange.getResponseBody().flush();
            throw new IOException("dropped");
        };
    }

    /** Fails in that way where it is asked from byte {@code from} on, else answers as it should. */
    Fault from(int from, Fault fault) {
        return (exchange, content) -> {
            String range = exchange.getRequestHeaders().getFirst("Range");
            if (range != null && range.startsWith("bytes=" + from + "-")) {
                fault.answer(exchange, content);
            } else {
                send(exchange, content);
            }
        };
    }

    /** Sends its headers and {@code count} bytes, then nothing for a while. */
    static Fault stall(int count, long millis) {
        return (exchange, content) -> {
            exchange.getResponseBody().write(content, begin(exchange, content), count);
            exchange.getResponseBody().flush();
            LockSupport.parkNanos(millis * 1_000_000);
            throw new IOException("dropped");
        };
    }

    @Override
    public void close() {
        hub.stop(0);
        store.stop(0);
    }
}
