package io.moebius.net;

import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * A proxy as a variable of the environment names it: http://USER:PASSWORD@HOST:PORT, of which all but the host may be missing.
 *
 * @param userInfo user and password, percent-encoded; empty where there is none
 */
record ProxyAddress(String host, int port, String userInfo) {

    private static final int DEFAULT_PORT = 80;

    /** @throws IOException for what is none; the message holds no password */
    static ProxyAddress parse(String variable, String value) throws IOException {
        try {
            URI uri = new URI(value.contains("://") ? value : "http://" + value);
            if (uri.getHost() != null && uri.getScheme().equalsIgnoreCase("http") && isBare(uri) && uri.getPort() != 0 && uri.getPort() <= 65_535) {
                String userInfo = uri.getRawUserInfo();
                return new ProxyAddress(uri.getHost(), uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(), userInfo == null ? "" : userInfo);
            }
        } catch (URISyntaxException | IllegalArgumentException e) {
            // Refused with the others.
        }
        throw new IOException(
                "%s, not shown for it may hold a password, names no proxy that can be used; allowed: an address like http://USER:PASSWORD@proxy.example.com:3128"
                        .formatted(variable));
    }

    private static boolean isBare(URI uri) {
        return (uri.getRawPath().isEmpty() || uri.getRawPath().equals("/")) && uri.getRawQuery() == null && uri.getRawFragment() == null;
    }

    /** Answers the proxy of one connection and nobody else, and once: that it asks again means that it does not take the login. */
    Authenticator authenticator() {
        return new Authenticator() {
            private boolean answered;

            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                if (answered || userInfo.isEmpty() || getRequestorType() != RequestorType.PROXY) {
                    return null;
                }
                answered = true;
                String[] parts = userInfo.split(":", 2);
                return new PasswordAuthentication(decoded(parts[0]), decoded(parts.length > 1 ? parts[1] : "").toCharArray());
            }
        };
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    Proxy proxy() {
        return new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(host, port));
    }

    /** Never shows the password. */
    @Override
    public String toString() {
        return host + ":" + port;
    }
}
