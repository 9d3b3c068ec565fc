package io.moebius.hub;

import io.moebius.net.Connections;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Map;

/**
 * GET requests to the Hub and to where it redirects. The token goes to the Hub's own origin alone; a redirect to plain http is followed
 * only where the Hub itself is plain http; nothing is decompressed.
 */
final class HubTransport {

    private static final int MAX_REDIRECTS = 5;

    private final Hub hub;
    private final Connections connections;
    private final int connectMillis;
    private final int stallMillis;

    /** @param stallMillis longest wait for the next bytes of an answer */
    HubTransport(Hub hub, Connections connections, int connectMillis, int stallMillis) {
        this.hub = hub;
        this.connections = connections;
        this.connectMillis = connectMillis;
        this.stallMillis = stallMillis;
    }

    /**
     * An answer whose body has not been read.
     *
     * @param etag what the Hub itself, not where it redirected to, says the content is; empty if nothing
     */
    record Answer(HttpURLConnection connection, int status, String etag) implements AutoCloseable {

        String header(String name) {
            String value = connection.getHeaderField(name);
            return value == null ? "" : value;
        }

        /** Whether another try may mend it. */
        boolean busy() {
            return status == 429 || status == 500 || status >= 502 && status <= 504;
        }

        /** How long the Hub asks to wait, by seconds or until a date; zero if it does not. */
        Duration retryAfter() {
            String asked = header("Retry-After").strip();
            if (asked.matches("\\d{1,6}")) {
                return Duration.ofSeconds(Long.parseLong(asked));
            }
            try {
                Duration left = Duration.between(Instant.now(), DateTimeFormatter.RFC_1123_DATE_TIME.parse(asked, Instant::from));
                return left.isNegative() ? Duration.ZERO : left;
            } catch (DateTimeException none) {
                return Duration.ZERO;
            }
        }

        InputStream body() throws IOException {
            return connection.getInputStream();
        }

        @Override
        public void close() {
            connection.disconnect();
        }
    }

    /** The Hub, and how it is reached, for people. */
    String target() {
        return hub + connections.through(hub.endpoint()).map(proxy -> " through the proxy " + proxy).orElse("");
    }

    /** @param path from the endpoint on, encoded */
    Answer get(String path, Map<String, String> headers) throws IOException {
        URI address = URI.create(hub.endpoint() + path);
        String etag = "";
        for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
            HttpURLConnection connection = connections.open(address);
            connection.setInstanceFollowRedirects(false);
            connection.setConnectTimeout(connectMillis);
            connection.setReadTimeout(stallMillis);
            connection.setUseCaches(false);
            connection.setRequestProperty("Accept-Encoding", "identity");
            connection.setRequestProperty("User-Agent", "moebius");
            headers.forEach(connection::setRequestProperty);
            if (hub.token().isPresent() && sameOrigin(address, hub.endpoint())) {
                connection.setRequestProperty("Authorization", "Bearer " + hub.token().get());
            }
            int status = connection.getResponseCode();
            if (sameOrigin(address, hub.endpoint()) && etag.isEmpty()) {
                etag = etag(connection);
            }
            if (status < 300 || status >= 400 || status == HttpURLConnection.HTTP_NOT_MODIFIED) {
                return new Answer(connection, status, etag);
            }
            String location = connection.getHeaderField("Location");
            connection.disconnect();
            address = redirected(address, location);
        }
        throw new IOException("more than " + MAX_REDIRECTS + " redirects");
    }

    URI redirected(URI from, String location) throws IOException {
        URI to;
        try {
            to = from.resolve(location == null ? "" : location);
        } catch (IllegalArgumentException e) {
            throw new IOException("a redirect to an address that is none");
        }
        boolean plain = "http".equals(to.getScheme());
        if (to.getHost() == null || !(plain || "https".equals(to.getScheme()))) {
            throw new IOException("a redirect to an address that is none");
        }
        if (plain && !"http".equals(hub.endpoint().getScheme())) {
            throw new IOException("a redirect to plain http, which is not followed");
        }
        return to;
    }

    private static String etag(HttpURLConnection connection) {
        String linked = connection.getHeaderField("X-Linked-Etag");
        String etag = linked != null ? linked : connection.getHeaderField("ETag");
        return etag == null ? "" : etag.replaceFirst("^W/", "").replace("\"", "");
    }

    private static boolean sameOrigin(URI a, URI b) {
        return a.getScheme().equals(b.getScheme()) && a.getHost().equalsIgnoreCase(b.getHost()) && port(a) == port(b);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equals("https") ? 443 : 80;
    }
}
