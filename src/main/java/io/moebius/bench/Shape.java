package io.moebius.bench;

/** Sizes of a mixture-of-experts decoder to generate. */
public record Shape(
        int hidden, int layers, int heads, int kvHeads, int ffn, int experts, int expertsPerToken, int vocabulary, int positions) {

    /** @throws IllegalArgumentException for sizes that do not fit each other */
    public Shape {
        require(hidden % heads == 0 && hidden / heads % 2 == 0,
                "--hidden is %d; allowed: even multiples of --heads, %d".formatted(hidden, heads));
        require(heads % kvHeads == 0, "--kv-heads is %d; allowed: divisors of --heads, %d".formatted(kvHeads, heads));
        require(expertsPerToken <= experts, "--experts is %d; allowed: at least %d".formatted(experts, expertsPerToken));
        require(vocabulary >= RandomTokenizer.SMALLEST,
                "--vocab is %d; allowed: at least %d, the special tokens and the bytes".formatted(vocabulary, RandomTokenizer.SMALLEST));
    }

    int headDim() {
        return hidden / heads;
    }

    int kvWidth() {
        return kvHeads * headDim();
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
