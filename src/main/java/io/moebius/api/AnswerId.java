package io.moebius.api;

import java.util.UUID;

/** Names of answers: a prefix and 32 hexadecimal digits. */
final class AnswerId {

    private AnswerId() {}

    static String next(String prefix) {
        return prefix + UUID.randomUUID().toString().replace("-", "");
    }
}
