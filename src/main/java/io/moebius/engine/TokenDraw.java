package io.moebius.engine;

import java.util.Arrays;

/** Draws a token from logits: temperature, then top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024). */
final class TokenDraw {

    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

    private final Ranking ranking;
    private final double[] weights;

    TokenDraw(Ranking ranking, int vocabulary) {
        this.ranking = ranking;
        weights = new double[vocabulary];
    }

    /**
     * @param largest the largest logit, finite
     * @param index   number of tokens drawn before in this sequence
     */
    int draw(float[] logits, float largest, Sampling sampling, int index) {
        weigh(logits, largest, sampling);
        double total = 0;
        for (double weight : weights) {
            total += weight;
        }
        double target = total * uniform(sampling.seed(), index);
        double sum = 0;
        int chosen = -1;
        for (int id = 0; id < weights.length && sum <= target; id++) {
            if (weights[id] > 0) {
                sum += weights[id];
                chosen = id;
            }
        }
        return chosen;
    }

    /** Leaves probabilities, not normalised, zero for what is dropped. */
    private void weigh(float[] logits, float largest, Sampling sampling) {
        ranking.fill(logits);
        int kept = logits.length;
        if (sampling.topK() > 0 && sampling.topK() < kept) {
            kept = ranking.select(kept, sampling.topK(), id -> 1);
        }
        Arrays.fill(weights, 0);
        double total = 0;
        for (int i = 0; i < kept; i++) {
            int id = ranking.id(i);
            weights[id] = Math.exp(((double) logits[id] - largest) / sampling.temperature());
            total += weights[id];
        }
        if (sampling.topP() < 1) {
            int nucleus = ranking.select(kept, sampling.topP() * total, id -> weights[id]);
            for (int i = nucleus; i < kept; i++) {
                weights[ranking.id(i)] = 0;
            }
        }
        for (int i = 0; i < kept; i++) {
            int id = ranking.id(i);
            if (weights[id] < sampling.minP()) {
                weights[id] = 0;
            }
        }
    }

    /** In [0, 1), of seed and index alone: output {@code index} of SplitMix64 (Steele et al. 2014) from the mixed seed. */
    private static double uniform(long seed, int index) {
        return (mix(mix(seed) + GOLDEN_GAMMA * (index + 1L)) >>> 11) * 0x1p-53;
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
