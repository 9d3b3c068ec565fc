package io.moebius.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The field stop: a string or a list of strings. */
final class StopStrings {

    private static final int MOST = 16;
    private static final int MOST_CHARACTERS = 1024;

    private StopStrings() {}

    static List<String> of(JsonNode node, List<String> absent) {
        if (node == null || node.isNull()) {
            return absent;
        }
        List<String> stops = new ArrayList<>();
        if (node.isTextual()) {
            stops.add(stop(node));
        } else if (node.isArray()) {
            if (node.size() > MOST) {
                throw ApiException.invalid(
                        "stop", "stop has %d strings; at most %d are allowed".formatted(node.size(), MOST));
            }
            node.forEach(string -> stops.add(stop(string)));
        } else {
            throw ApiException.invalid("stop", "stop must be a string or a list of strings");
        }
        return List.copyOf(stops);
    }

    private static String stop(JsonNode node) {
        if (!node.isTextual()) {
            throw ApiException.invalid("stop", "stop must be a string or a list of strings");
        }
        String stop = Check.text("stop", node.textValue());
        if (stop.isEmpty() || stop.length() > MOST_CHARACTERS) {
            throw ApiException.invalid(
                    "stop",
                    "a stop string has %d characters; it must have 1 to %d".formatted(stop.length(), MOST_CHARACTERS));
        }
        return stop;
    }
}
