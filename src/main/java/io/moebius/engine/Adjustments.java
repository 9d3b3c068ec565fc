package io.moebius.engine;

/** Changes logits as a request asks before a token is chosen: logit bias, penalties, no stop token before minTokens. */
final class Adjustments {

    private final boolean[] seen;
    private final int[] counts;

    Adjustments(int vocabulary) {
        seen = new boolean[vocabulary];
        counts = new int[vocabulary];
    }

    void apply(float[] logits, Prompt prompt, History history) {
        Sampling sampling = prompt.sampling();
        sampling.logitBias().forEach((id, bias) -> logits[id] = finite(logits[id] + bias));
        if (sampling.repetitionPenalty() != 1) {
            repetition(logits, sampling.repetitionPenalty(), history);
        }
        if (sampling.presencePenalty() != 0 || sampling.frequencyPenalty() != 0) {
            occurrences(logits, sampling, history);
        }
        if (history.output() < prompt.minTokens()) {
            prompt.stopTokens().forEach(id -> logits[id] = Float.NEGATIVE_INFINITY);
        }
    }

    private void repetition(float[] logits, float penalty, History history) {
        for (int i = 0; i < history.length(); i++) {
            int id = history.tokens()[i];
            if (!seen[id]) {
                seen[id] = true;
                logits[id] = finite(logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty);
            }
        }
        for (int i = 0; i < history.length(); i++) {
            seen[history.tokens()[i]] = false;
        }
    }

    private void occurrences(float[] logits, Sampling sampling, History history) {
        for (int i = history.prompt(); i < history.length(); i++) {
            counts[history.tokens()[i]]++;
        }
        for (int i = history.prompt(); i < history.length(); i++) {
            int id = history.tokens()[i];
            if (counts[id] > 0) {
                float penalty = sampling.presencePenalty() + sampling.frequencyPenalty() * counts[id];
                logits[id] = finite(logits[id] - penalty);
                counts[id] = 0;
            }
        }
    }

    private static float finite(float logit) {
        return Math.min(logit, Float.MAX_VALUE);
    }
}
