package io.moebius.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.util.concurrent.ThreadLocalRandom;

/** Seeds are unsigned 64-bit numbers. */
final class Seeds {

    private static final BigInteger END = BigInteger.ONE.shiftLeft(64);
    private static final BigInteger LEAST = BigInteger.valueOf(Long.MIN_VALUE);

    private Seeds() {}

    /** One seed for each choice of a prompt: as listed, counted up from one number, or drawn. */
    static long[] of(JsonNode node, int n) {
        long[] seeds = new long[n];
        if (node != null && node.isArray()) {
            if (node.size() != n) {
                throw ApiException.invalid("seed", "seed lists %d numbers; it must list n = %d".formatted(node.size(), n));
            }
            for (int i = 0; i < n; i++) {
                seeds[i] = seed(node.get(i));
            }
            return seeds;
        }
        boolean given = node != null && !node.isNull();
        long first = given ? seed(node) : 0;
        for (int i = 0; i < n; i++) {
            seeds[i] = given ? first + i : ThreadLocalRandom.current().nextLong();
        }
        return seeds;
    }

    static BigInteger unsigned(long seed) {
        return seed >= 0 ? BigInteger.valueOf(seed) : BigInteger.valueOf(seed).add(END);
    }

    /** A negative number, which OpenAI allows, is taken modulo 2^64. */
    private static long seed(JsonNode node) {
        if (!node.isIntegralNumber()) {
            throw ApiException.invalid("seed", "seed must be a whole number from 0 to 18446744073709551615");
        }
        BigInteger seed = node.bigIntegerValue();
        if (seed.compareTo(LEAST) < 0 || seed.compareTo(END) >= 0) {
            throw ApiException.invalid("seed", "seed is out of range; it must be from 0 to 18446744073709551615");
        }
        return seed.longValue();
    }
}
