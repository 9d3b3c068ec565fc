package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Set;
import java.util.TreeSet;

/**
 * Typed and bounded values of a JSON object; null counts as absent.
 *
 * @param file for messages
 */
record ConfigFields(JsonNode json, String file) {

    /** Of config.json. */
    ConfigFields(JsonNode json) {
        this(json, "config.json");
    }

    /** The object at {@code key}, empty where it is absent. */
    ConfigFields object(String key) {
        return new ConfigFields(json.path(key), file);
    }

    int integer(String key, int least, int most) {
        JsonNode value = json.path(key);
        if (absent(key)) {
            throw new CheckpointException(file + " has no " + key);
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < least || value.intValue() > most) {
            throw wrong(key, "whole numbers from %d to %d".formatted(least, most));
        }
        return value.intValue();
    }

    int integer(String key, int least, int most, int absent) {
        return absent(key) ? absent : integer(key, least, most);
    }

    /** A list of whole numbers, empty where it is absent. */
    Set<Integer> integers(String key, int least, int most) {
        JsonNode list = json.path(key);
        Set<Integer> values = new TreeSet<>();
        for (JsonNode value : list) {
            values.add(value.isIntegralNumber() && value.canConvertToInt() ? value.intValue() : least - 1);
        }
        if (!absent(key) && !list.isArray() || values.stream().anyMatch(value -> value < least || value > most)) {
            throw wrong(key, "a list of whole numbers from %d to %d".formatted(least, most));
        }
        return values;
    }

    double positive(String key, double absent) {
        if (absent(key)) {
            return absent;
        }
        double value = json.path(key).doubleValue();
        if (!json.path(key).isNumber() || !(value > 0) || Double.isInfinite(value)) {
            throw wrong(key, "numbers over 0");
        }
        return value;
    }

    double atLeast(String key, double least) {
        if (absent(key)) {
            throw new CheckpointException(file + " has no " + key);
        }
        double value = json.path(key).doubleValue();
        if (!json.path(key).isNumber() || !(value >= least) || Double.isInfinite(value)) {
            throw wrong(key, "numbers from %s on".formatted(least));
        }
        return value;
    }

    String text(String key, String absent) {
        if (absent(key)) {
            return absent;
        }
        if (!json.path(key).isTextual()) {
            throw wrong(key, "text");
        }
        return json.path(key).textValue();
    }

    boolean flag(String key) {
        if (absent(key)) {
            return false;
        }
        if (!json.path(key).isBoolean()) {
            throw wrong(key, "true and false");
        }
        return json.path(key).booleanValue();
    }

    boolean absent(String key) {
        return json.path(key).isMissingNode() || json.path(key).isNull();
    }

    CheckpointException wrong(String key, String allowed) {
        String value = json.path(key).toString();
        return new CheckpointException("%s: %s is %s; allowed: %s"
                .formatted(file, key, value.length() > 80 ? value.substring(0, 80) + "..." : value, allowed));
    }
}
