package io.moebius.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Prompts for tests, and what the toy model says to them when asked alone and without an engine. */
final class Prompts {

    private Prompts() {}

    static Prompt greedy(int maxTokens, int... tokens) {
        return with(Sampling.greedy(), maxTokens, tokens);
    }

    static Prompt with(Sampling sampling, int maxTokens, int... tokens) {
        return new Prompt(tokens, maxTokens, 0, Set.of(), sampling, -1);
    }

    static Sampling sampled(long seed) {
        return new Sampling(0.9f, 20, 0.95f, 0.01f, 1.1f, 0.1f, 0.1f, Map.of(3, 2f), seed);
    }

    static List<Prompt> mixed(int count, int maxTokens) {
        Random random = new Random(7);
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] tokens = random.ints(1 + random.nextInt(60), 0, ToyDecoder.VOCABULARY).toArray();
            prompts.add(with(i % 2 == 0 ? sampled(i) : Sampling.greedy(), 1 + random.nextInt(maxTokens), tokens));
        }
        return prompts;
    }

    static List<Integer> expected(Prompt prompt) {
        Sampler sampler = new Sampler(ToyDecoder.VOCABULARY, false);
        int length = prompt.tokens().length;
        int[] tokens = Arrays.copyOf(prompt.tokens(), length + prompt.maxTokens());
        List<Integer> output = new ArrayList<>();
        while (output.size() < prompt.maxTokens()) {
            History history = new History(tokens, prompt.tokens().length, length);
            int id = sampler.sample(ToyDecoder.logits(tokens, length), prompt, history).id();
            output.add(id);
            tokens[length++] = id;
            if (prompt.stopTokens().contains(id)) {
                break;
            }
        }
        return output;
    }
}
