package io.moebius.api;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import java.io.IOException;

/**
 * Reads one body, of which there may be only so much that takes many times its bytes as a tree: an empty object of 3 bytes takes about
 * 90, a string of 4 bytes 70, a field of 11 bytes 110. A token id of 6 bytes takes 20, and there may be millions.
 */
final class BoundedParser extends JsonParserDelegate {

    static final int MOST_NODES = 1 << 18;
    static final int MOST_NUMBERS = 2_000_000;

    private int nodes;
    private int numbers;

    BoundedParser(JsonParser parser) {
        super(parser);
    }

    @Override
    public JsonToken nextToken() throws IOException {
        JsonToken token = super.nextToken();
        switch (token) {
            case FIELD_NAME, VALUE_STRING, START_OBJECT, START_ARRAY -> check(++nodes, MOST_NODES, "fields, strings, objects and lists");
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT, VALUE_TRUE, VALUE_FALSE, VALUE_NULL -> check(++numbers, MOST_NUMBERS, "numbers");
            case null, default -> {}
        }
        return token;
    }

    private static void check(int count, int most, String what) {
        if (count > most) {
            throw ApiException.invalid(null, "the body has more than %d %s; send fewer".formatted(most, what));
        }
    }
}
