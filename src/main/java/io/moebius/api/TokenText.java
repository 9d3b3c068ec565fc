package io.moebius.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.nio.charset.StandardCharsets;

/** A single token as log probabilities show it. */
final class TokenText {

    /** Stands for a probability of zero, for JSON has no infinity. */
    private static final double VERY_UNLIKELY = -9999.0;

    private TokenText() {}

    static String of(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    static void addBytes(ArrayNode array, byte[] bytes) {
        for (byte b : bytes) {
            array.add(b & 0xff);
        }
    }

    static double logprob(float logprob) {
        return Float.isFinite(logprob) ? logprob : VERY_UNLIKELY;
    }
}
