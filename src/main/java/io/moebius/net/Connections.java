package io.moebius.net;

import java.io.IOException;
import java.math.BigInteger;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Proxy;
import java.net.URI;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Opens http and https addresses as the environment says it to every program: through HTTPS_PROXY or HTTP_PROXY by the address's scheme,
 * else ALL_PROXY, except for the hosts of NO_PROXY. A name in lower case comes before the same in capitals.
 */
public final class Connections {

    private final Map<String, String> environment;

    public Connections(Map<String, String> environment) {
        this.environment = environment;
        // By default the JDK gives no proxy a password before a tunnel; one that stands in the environment is meant for it.
        System.setProperty("jdk.http.auth.tunneling.disabledSchemes", "");
    }

    /**
     * A connection that has not been made yet.
     *
     * @throws IOException if the environment's proxy is none that can be used; the message is for people and holds no password
     */
    public HttpURLConnection open(URI address) throws IOException {
        Optional<ProxyAddress> proxy = proxy(address);
        HttpURLConnection connection =
                (HttpURLConnection) address.toURL().openConnection(proxy.map(ProxyAddress::proxy).orElse(Proxy.NO_PROXY));
        proxy.ifPresent(known -> connection.setAuthenticator(known.authenticator()));
        return connection;
    }

    /** For people: the proxy's host and port, empty where there is none that can be used. */
    public Optional<String> through(URI address) {
        try {
            return proxy(address).map(ProxyAddress::toString);
        } catch (IOException none) {
            return Optional.empty();
        }
    }

    private Optional<ProxyAddress> proxy(URI address) throws IOException {
        if (address.getHost() == null) {
            throw new IOException("the address names no host");
        }
        for (String variable : new String[] {address.getScheme() + "_proxy", "all_proxy"}) {
            String name = environment.containsKey(variable) ? variable : variable.toUpperCase(Locale.ROOT);
            String value = environment.getOrDefault(name, "").strip();
            if (!value.isEmpty()) {
                return isDirect(address) ? Optional.empty() : Optional.of(ProxyAddress.parse(name, value));
            }
        }
        return Optional.empty();
    }

    /** Whether NO_PROXY names the host, a domain or a range of addresses that it is in, or one of these with the port. */
    private boolean isDirect(URI address) {
        String host = unbracketed(address.getHost().toLowerCase(Locale.ROOT));
        int port = address.getPort() >= 0 ? address.getPort() : address.getScheme().equals("https") ? 443 : 80;
        String list = environment.getOrDefault("no_proxy", environment.getOrDefault("NO_PROXY", "")).toLowerCase(Locale.ROOT);
        for (String entry : list.split("[,\\s]+")) {
            String domain = entry.endsWith(":" + port) ? entry.substring(0, entry.lastIndexOf(':')) : entry;
            String name = unbracketed(domain.replaceFirst("^\\*?\\.", ""));
            if (domain.equals("*") || host.equals(name) || !name.isEmpty() && host.endsWith("." + name) || isInRange(host, domain)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the host is an address, by number, whose first bits are those of a range like 10.0.0.0/8 or fd00::/8. */
    private static boolean isInRange(String host, String range) {
        int slash = range.indexOf('/');
        // Literals such as 10 are addresses, too: 0.0.0.10.
        if (slash < 0 || !range.matches("\\d+\\.\\d+\\.\\d+\\.\\d+/\\d+|.*:.*")) {
            return false;
        }
        try {
            byte[] address = InetAddress.ofLiteral(host).getAddress();
            byte[] first = InetAddress.ofLiteral(range.substring(0, slash)).getAddress();
            int bits = Byte.SIZE * first.length;
            int others = bits - Integer.parseInt(range.substring(slash + 1));
            return address.length == first.length && others >= 0 && others <= bits
                    && new BigInteger(1, address).shiftRight(others).equals(new BigInteger(1, first).shiftRight(others));
        } catch (IllegalArgumentException names) {
            return false;
        }
    }

    /** Of IPv6 addresses. */
    private static String unbracketed(String host) {
        return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    }
}
