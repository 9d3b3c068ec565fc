package io.moebius.engine;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PromptValidatorTest {

    private static void check(Prompt prompt) {
        int length = prompt.tokens().length;
        new PromptValidator(10, 50, 2).check(prompt, new History(prompt.tokens(), length, length));
    }

    private static Prompt sampling(
            float t, int k, float p, float minP, float repetition, float presence, float frequency, Map<Integer, Float> bias) {
        Sampling sampling = new Sampling(t, k, p, minP, repetition, presence, frequency, bias, 0);
        return Prompts.with(sampling, 5, 1);
    }

    private static Prompt prompt(int minTokens, Set<Integer> stop, int topLogprobs) {
        return new Prompt(new int[] {1}, 5, minTokens, stop, Sampling.greedy(), topLogprobs);
    }

    static Stream<Prompt> bad() {
        float nan = Float.NaN;
        float infinity = Float.POSITIVE_INFINITY;
        return Stream.of(
                Prompts.greedy(1),
                Prompts.greedy(1, 10),
                Prompts.greedy(1, -1),
                Prompts.greedy(0, 1),
                Prompts.greedy(Integer.MAX_VALUE, 1),
                Prompts.greedy(50, 1),
                Prompts.greedy(33, 1),
                prompt(-1, Set.of(), -1),
                prompt(6, Set.of(), -1),
                prompt(0, Set.of(10), -1),
                prompt(1, Set.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), -1),
                prompt(0, Set.of(), -2),
                prompt(0, Set.of(), 11),
                sampling(-1, 0, 1, 0, 1, 0, 0, Map.of()),
                sampling(nan, 0, 1, 0, 1, 0, 0, Map.of()),
                sampling(infinity, 0, 1, 0, 1, 0, 0, Map.of()),
                sampling(1, -1, 1, 0, 1, 0, 0, Map.of()),
                sampling(1, 0, 0, 0, 1, 0, 0, Map.of()),
                sampling(1, 0, 1.5f, 0, 1, 0, 0, Map.of()),
                sampling(1, 0, 1, nan, 1, 0, 0, Map.of()),
                sampling(1, 0, 1, 0, 0, 0, 0, Map.of()),
                sampling(1, 0, 1, 0, 1, infinity, 0, Map.of()),
                sampling(1, 0, 1, 0, 1, 0, nan, Map.of()),
                sampling(1, 0, 1, 0, 1, 0, 0, Map.of(10, 1f)),
                sampling(1, 0, 1, 0, 1, 0, 0, Map.of(1, nan)));
    }

    @ParameterizedTest
    @MethodSource("bad")
    void refusesWhatIsOutOfRange(Prompt prompt) {
        assertThatThrownBy(() -> check(prompt))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("; allowed: ");
    }

    @Test
    void acceptsASequenceThatJustFitsTheCache() {
        assertThatCode(() -> check(Prompts.greedy(32, 1))).doesNotThrowAnyException();
    }
}
