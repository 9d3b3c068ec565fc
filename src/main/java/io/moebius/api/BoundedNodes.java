package io.moebius.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The nodes of one body. An empty object takes three bytes of it and more than a hundred of memory, so there may be so many. */
final class BoundedNodes extends JsonNodeFactory {

    static final int MOST = 65_536;

    private int containers;

    @Override
    public ObjectNode objectNode() {
        count();
        return super.objectNode();
    }

    @Override
    public ArrayNode arrayNode() {
        count();
        return super.arrayNode();
    }

    private void count() {
        if (++containers > MOST) {
            throw ApiException.invalid(null, "the body has more than %d objects and lists; send fewer".formatted(MOST));
        }
    }
}
