package io.moebius.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.moebius.engine.GeneratedToken.TokenLogprob;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplerTest {

    private static final float[] PROBABILITIES = {0.02f, 0.4f, 0.1f, 0.05f, 0.2f, 0.15f, 0.05f, 0.03f};

    private static float[] logits(float... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(probabilities[i]) + 3;
        }
        return logits;
    }

    private static Sampling sampling(float temperature, int topK, float topP, float minP, long seed) {
        return new Sampling(temperature, topK, topP, minP, 1, 0, 0, Map.of(), seed);
    }

    private static Prompt prompt(Sampling sampling) {
        return new Prompt(new int[] {0}, 10, 0, Set.of(), sampling, -1);
    }

    private static GeneratedToken sample(float[] logits, Prompt prompt, int... output) {
        int length = prompt.tokens().length + output.length;
        int[] tokens = Arrays.copyOf(prompt.tokens(), length);
        System.arraycopy(output, 0, tokens, prompt.tokens().length, output.length);
        return new Sampler(logits.length, false).sample(logits, prompt, new History(tokens, prompt.tokens().length, length));
    }

    /** Draws 20,000 times, half over seeds, half over positions, and compares with chi square at 7 degrees or less. */
    private static void assertDrawn(float temperature, int topK, float topP, float minP, double... expected) {
        int draws = 20_000;
        int[] counts = new int[expected.length];
        Sampler sampler = new Sampler(PROBABILITIES.length, false);
        float[] logits = logits(PROBABILITIES);
        for (int i = 0; i < draws; i++) {
            boolean overSeeds = i % 2 == 0;
            Prompt prompt = prompt(sampling(temperature, topK, topP, minP, overSeeds ? i : 99));
            History history = new History(new int[0], 0, overSeeds ? 0 : i);
            counts[sampler.sample(logits, prompt, history).id()]++;
        }
        double sum = Arrays.stream(expected).sum();
        double chiSquare = 0;
        for (int id = 0; id < expected.length; id++) {
            double mean = draws * expected[id] / sum;
            if (mean == 0) {
                assertThat(counts[id]).as("token " + id).isZero();
            } else {
                chiSquare += (counts[id] - mean) * (counts[id] - mean) / mean;
            }
        }
        assertThat(chiSquare).isLessThan(24.3); // 0.1 % at 7 degrees of freedom
    }

    @Test
    void drawsByProbability() {
        assertDrawn(1, 0, 1, 0, 0.02, 0.4, 0.1, 0.05, 0.2, 0.15, 0.05, 0.03);
    }

    @Test
    void temperatureSharpens() {
        assertDrawn(0.5f, 0, 1, 0, 0.0004, 0.16, 0.01, 0.0025, 0.04, 0.0225, 0.0025, 0.0009);
    }

    @Test
    void topKKeepsTheLikeliestAndTiesByLowerId() {
        assertDrawn(1, 5, 1, 0, 0, 0.4, 0.1, 0.05, 0.2, 0.15, 0, 0);
    }

    @Test
    void topPKeepsTheSmallestSetThatReachesIt() {
        assertDrawn(1, 0, 0.7f, 0, 0, 0.4, 0, 0, 0.2, 0.15, 0, 0);
    }

    @Test
    void topPIsOfWhatTopKLeft() {
        assertDrawn(1, 3, 0.75f, 0, 0, 0.4, 0, 0, 0.2, 0, 0, 0);
    }

    @Test
    void minPIsRelativeToTheLikeliest() {
        assertDrawn(1, 0, 1, 0.2f, 0, 0.4, 0.1, 0, 0.2, 0.15, 0, 0);
    }

    @Test
    void selectsAsAFullSortWould() {
        Random random = new Random(5);
        int vocabulary = 32_000;
        Ranking ranking = new Ranking(vocabulary);
        for (int count : new int[] {1, 2, 50, 31_999, 32_000}) {
            float[] values = new float[vocabulary];
            for (int id = 0; id < vocabulary; id++) {
                values[id] = random.nextInt(2000) - 1000;
            }
            ranking.fill(values);
            int[] sorted = IntStream.range(0, vocabulary)
                    .boxed()
                    .sorted((a, b) -> values[a] == values[b] ? a - b : Float.compare(values[b], values[a]))
                    .mapToInt(Integer::intValue)
                    .limit(count)
                    .toArray();
            assertThat(ranking.best(count)).isEqualTo(sorted);
        }
    }

    @Test
    void greedyTakesTheLowestOfEqualIds() {
        assertThat(sample(new float[] {1, 7, 7, 2}, prompt(Sampling.greedy())).id()).isEqualTo(1);
    }

    @Test
    void aTinyTemperatureIsNearlyGreedy() {
        assertThat(sample(new float[] {1, 7, 8, -3e38f}, prompt(sampling(1e-40f, 0, 1, 0, 1))).id()).isEqualTo(2);
    }

    @Test
    void logitBiasIsAdded() {
        Sampling biased = new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(0, 100f), 0);
        assertThat(sample(new float[] {-50, 49, 3}, prompt(biased)).id()).isZero();
    }

    @Test
    void penaltiesAreAsComputedByHand() {
        Sampling sampling = new Sampling(0, 0, 1, 0, 2, 0.5f, 0.25f, Map.of(4, 1f), 0);
        Prompt prompt = new Prompt(new int[] {0, 0, 1}, 10, 0, Set.of(), sampling, -1);
        float[] logits = {4, -3, 6, 5, 1, -1};
        History history = new History(new int[] {0, 0, 1, 2, 2, 5, 4}, 3, 7);
        Adjustments adjustments = new Adjustments(6);
        for (int i = 0; i < 2; i++) {
            float[] adjusted = logits.clone();
            adjustments.apply(adjusted, prompt, history);
            // 4/2; -3*2; 6/2-.5-2*.25; 5; (1+1)/2-.75; -1*2-.75
            assertThat(adjusted).containsExactly(2, -6, 2, 5, 0.25f, -2.75f);
        }
    }

    @Test
    void stopTokensAreNotChosenBeforeMinTokens() {
        Prompt prompt = new Prompt(new int[] {0}, 10, 2, Set.of(1), Sampling.greedy(), -1);
        float[] logits = {1, 9, 5};
        assertThat(sample(logits, prompt).id()).isEqualTo(2);
        assertThat(sample(logits, prompt, 2).id()).isEqualTo(2);
        assertThat(sample(logits, prompt, 2, 2).id()).isEqualTo(1);
    }

    @Test
    void logprobsAreOfTheUnmodifiedLogits() {
        Sampling sampling = new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(2, 50f), 0);
        float[] logits = logits(0.25f, 0.5f, 0.125f, 0.125f);
        GeneratedToken token = sample(logits, new Prompt(new int[] {0}, 1, 0, Set.of(), sampling, 3));
        assertThat(token.id()).isEqualTo(2);
        assertThat(token.logprob()).isCloseTo((float) Math.log(0.125), within(1e-6f));
        assertThat(token.top()).extracting(TokenLogprob::id).containsExactly(1, 0, 2);
        assertThat(token.top().get(0).logprob()).isCloseTo((float) Math.log(0.5), within(1e-6f));
    }

    @Test
    void givesNoLogprobsUnasked() {
        GeneratedToken token = sample(logits(PROBABILITIES), prompt(Sampling.greedy()));
        assertThat(token.logprob()).isNaN();
        assertThat(token.top()).isEmpty();
    }

    @Test
    void refusesLogitsThatAreNotFinite() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            assertThatThrownBy(() -> sample(new float[] {1, bad}, prompt(Sampling.greedy())))
                    .isInstanceOf(NotANumberException.class);
        }
    }

    @Test
    void failsEvenWhenIgnoringNansIfNothingElseIsThere() {
        Sampler sampler = new Sampler(2, true);
        History history = new History(new int[] {0}, 1, 1);
        assertThat(sampler.sample(new float[] {Float.NaN, -8}, prompt(sampling(1, 0, 1, 0, 0)), history).id())
                .isEqualTo(1);
        assertThatThrownBy(() -> sampler.sample(new float[] {Float.NaN, Float.NaN}, prompt(Sampling.greedy()), history))
                .isInstanceOf(NotANumberException.class);
    }
}
