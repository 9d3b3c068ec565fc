package io.moebius.backend.reference;

import io.moebius.backend.Routing;

/** Expert ids and weights, [tokens][topK]. */
record ChosenExperts(int[][] ids, double[][] weights, int topK) implements Routing {

    @Override
    public int tokens() {
        return ids.length;
    }
}
