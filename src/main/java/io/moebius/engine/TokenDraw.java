package io.moebius.engine;

import java.util.Arrays;

/**
 * Draws a token from logits: temperature, then top-k (Fan et al. 2018), top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024).
 * Weights are integers, 2^40 exp((logit - largest) / temperature), so that their sums are exact in any order; each step to them is
 * rounded as written, as in the kernel of the CUDA backend, which draws the same tokens.
 */
final class TokenDraw {

    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;
    private static final float LOG2_E = 1.44269504f;
    private static final double LARGEST_WEIGHT = 0x1p40;
    /** ln(2)^k / k!, k from 7 to 0: Taylor's series of 2^x. */
    private static final float[] TERMS = {
        1.5252734e-5f, 1.5403530e-4f, 1.3333558e-3f, 9.6181291e-3f, 5.5504109e-2f, 2.4022651e-1f, 6.9314718e-1f, 1
    };

    private final Ranking ranking;
    private final long[] weights;

    TokenDraw(Ranking ranking, int vocabulary) {
        this.ranking = ranking;
        weights = new long[vocabulary];
    }

    /**
     * @param largest the largest logit, finite
     * @param index   number of tokens drawn before in this sequence
     */
    int draw(float[] logits, float largest, Sampling sampling, int index) {
        weigh(logits, largest, sampling);
        long total = 0;
        for (long weight : weights) {
            total += weight;
        }
        long target = Math.unsignedMultiplyHigh(random(sampling.seed(), index), total);
        int chosen = -1;
        for (long sum = 0; sum <= target; ) {
            sum += weights[++chosen];
        }
        return chosen;
    }

    /** Leaves weights, zero for what is dropped. */
    private void weigh(float[] logits, float largest, Sampling sampling) {
        ranking.fill(logits);
        int kept = logits.length;
        if (sampling.topK() > 0 && sampling.topK() < kept) {
            kept = ranking.select(kept, sampling.topK(), id -> 1);
        }
        Arrays.fill(weights, 0);
        long total = 0;
        for (int i = 0; i < kept; i++) {
            int id = ranking.id(i);
            weights[id] = weight(logits[id], largest, sampling.temperature());
            total += weights[id];
        }
        if (sampling.topP() < 1) {
            long nucleus = (long) ((double) total * sampling.topP());
            int inside = ranking.select(kept, Math.max(1, nucleus), id -> weights[id]);
            for (int i = inside; i < kept; i++) {
                weights[ranking.id(i)] = 0;
            }
        }
        long least = (long) (sampling.minP() * LARGEST_WEIGHT);
        for (int i = 0; i < kept; i++) {
            int id = ranking.id(i);
            if (weights[id] < least) {
                weights[id] = 0;
            }
        }
    }

    private static long weight(float logit, float largest, float temperature) {
        float power = (logit - largest) / temperature * LOG2_E;
        if (power <= -41) {
            return 0;
        }
        float whole = (float) Math.rint(power);
        float fraction = power - whole;
        float sum = 0;
        for (float term : TERMS) {
            sum = sum * fraction + term;
        }
        return (long) (sum * Math.scalb(1f, 40 + (int) whole));
    }

    /** 53 random bits, then zeros, of seed and index alone: output {@code index} of SplitMix64 (Steele et al. 2014) from the mixed seed. */
    private static long random(long seed, int index) {
        return mix(mix(seed) + GOLDEN_GAMMA * (index + 1L)) & -1L << 11;
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
