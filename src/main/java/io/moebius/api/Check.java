package io.moebius.api;

/** Bounds of single values; every refusal names the field, the value and what is allowed. */
final class Check {

    private Check() {}

    static int between(String param, Integer value, int least, int most, int absent) {
        if (value == null) {
            return absent;
        }
        if (value < least || value > most) {
            throw ApiException.invalid(param, "%s is %d; it must be from %d to %d".formatted(param, value, least, most));
        }
        return value;
    }

    static int atLeast(String param, Integer value, int least, int absent) {
        if (value == null) {
            return absent;
        }
        if (value < least) {
            throw ApiException.invalid(param, "%s is %d; it must be at least %d".formatted(param, value, least));
        }
        return value;
    }

    static float between(String param, Double value, double least, double most, double absent) {
        if (value == null) {
            return (float) absent;
        }
        // Also false for NaN.
        if (!(value >= least && value <= most)) {
            throw ApiException.invalid(param, "%s is %s; it must be from %s to %s".formatted(param, value, least, most));
        }
        return value.floatValue();
    }

    static int token(String param, Integer id, int vocabulary) {
        if (id == null || id < 0 || id >= vocabulary) {
            throw ApiException.invalid(
                    param, "%s holds token id %s; ids run from 0 to %d".formatted(param, id, vocabulary - 1));
        }
        return id;
    }

    static String text(String param, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean pair = Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (Character.isSurrogate(c) && !pair) {
                throw ApiException.invalid(
                        param, "%s holds half of a surrogate pair at character %d; it must be valid Unicode".formatted(param, i));
            }
            i += pair ? 1 : 0;
        }
        return text;
    }
}
