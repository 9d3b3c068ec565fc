package io.moebius.model;

import io.moebius.backend.KvCache;
import java.util.stream.IntStream;

/** One sequence at a time: prompt logits, then the likeliest token again and again. */
final class GreedyDecoding {

    private final SequenceLogits logits;

    GreedyDecoding(Decoder decoder, int maxTokens) {
        this(decoder, decoder.kvShape(), maxTokens);
    }

    GreedyDecoding(Decoder decoder, KvCache.Shape shape, int maxTokens) {
        this.logits = new SequenceLogits(decoder, shape, maxTokens);
    }

    /** Logits [ids, vocabulary] of every position of a prompt. */
    float[][] prompt(int... ids) {
        return logits.of(ids);
    }

    /** The next {@code count} tokens after {@code prompt}. */
    int[] continuation(int[] prompt, int count) {
        int[] output = new int[count];
        float[] last = logits.of(prompt)[prompt.length - 1];
        for (int i = 0; i < count; i++) {
            output[i] = likeliest(last);
            if (i + 1 < count) {
                last = logits.of(new int[] {output[i]}, prompt.length + i, prompt.length)[0];
            }
        }
        return output;
    }

    private static int likeliest(float[] logits) {
        return IntStream.range(0, logits.length).reduce((a, b) -> logits[b] > logits[a] ? b : a).orElseThrow();
    }
}
