package io.moebius.hub;

import io.moebius.hub.HubException.Kind;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where models come from, as the environment says it to every tool.
 *
 * @param endpoint HF_ENDPOINT, else the public Hub; plain http only where it says so itself
 * @param token    HF_TOKEN, else the file HF_TOKEN_PATH, else $HF_HOME/token
 * @param offline  HF_HUB_OFFLINE: no connection at all
 */
public record Hub(URI endpoint, Optional<String> token, boolean offline) {

    private static final String PUBLIC = "https://huggingface.co";
    private static final Set<String> ON = Set.of("1", "TRUE", "YES", "ON");
    private static final long MAX_TOKEN_BYTES = 1000;

    /** @throws HubException if the endpoint is no http or https address, or the token no token */
    public static Hub of(Map<String, String> environment) {
        String address = environment.getOrDefault("HF_ENDPOINT", "");
        URI endpoint = endpoint(address.isBlank() ? PUBLIC : address.strip());
        boolean offline = ON.contains(environment.getOrDefault("HF_HUB_OFFLINE", "").strip().toUpperCase(Locale.ROOT));
        return new Hub(endpoint, token(environment), offline);
    }

    private static URI endpoint(String address) {
        try {
            URI uri = URI.create(address.replaceAll("/+$", ""));
            if (uri.getHost() != null && (uri.getScheme().equals("https") || uri.getScheme().equals("http"))
                    && uri.getUserInfo() == null && uri.getQuery() == null && uri.getFragment() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Refused with the others.
        }
        throw new HubException(Kind.UNREACHABLE, "HF_ENDPOINT is \"%s\"; allowed: an address like %s".formatted(oneLine(address.replaceFirst("(?s).*@", "...@")), PUBLIC));
    }

    private static Optional<String> token(Map<String, String> environment) {
        String given = environment.getOrDefault("HF_TOKEN", "").strip();
        if (given.isEmpty()) {
            Path file = HubCache.folder(environment, "HF_TOKEN_PATH").orElseGet(() -> HubCache.home(environment).resolve("token"));
            try {
                given = Files.isRegularFile(file) && Files.size(file) <= MAX_TOKEN_BYTES ? Files.readString(file).strip() : "";
            } catch (IOException unreadable) {
                given = "";
            }
        }
        if (!given.chars().allMatch(c -> c > ' ' && c < 127)) {
            throw new HubException(HubException.Kind.REFUSED, "the Hugging Face token holds characters that no token has; check HF_TOKEN");
        }
        return given.isEmpty() ? Optional.empty() : Optional.of(given);
    }

    static String oneLine(String text) {
        String line = text.replaceAll("\\p{Cntrl}", "?");
        return line.length() > 120 ? line.substring(0, 120) + "..." : line;
    }

    /** Never shows the token. */
    @Override
    public String toString() {
        return endpoint.toString();
    }
}
