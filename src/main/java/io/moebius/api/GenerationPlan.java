package io.moebius.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.moebius.engine.Prompt;
import io.moebius.engine.Sampling;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A request, checked: one engine prompt for each choice, n for each of the request's prompts in order.
 *
 * @param beginsText    the answer is a text of its own, not the prompt's continuation
 * @param stops         strings that end a choice
 * @param promptTokens  of all the request's prompts, each counted once
 */
record GenerationPlan(
        ServedModel model, List<Prompt> choices, boolean beginsText, List<String> stops, int promptTokens, boolean stream, boolean usage) {

    private static final int MOST_CHOICES = 128;

    /** Checks what needs no prompt, so that nonsense is refused before a long prompt is tokenised. */
    static void checkShape(ObjectNode body, GenerationRequest request, ServedModel model) {
        UnsupportedFields.check(body);
        Check.between("n", request.n(), 1, MOST_CHOICES, 1);
        Check.atLeast("max_tokens", request.maxTokens(), 1, 1);
        Check.atLeast("max_completion_tokens", request.maxCompletionTokens(), 1, 1);
        Check.atLeast("min_tokens", request.minTokens(), 0, 0);
        Check.atLeast("min_total_tokens", request.minTotalTokens(), 0, 0);
        if (request.maxTotalTokens() != null && (request.maxTokens() != null || request.maxCompletionTokens() != null)) {
            throw ApiException.invalid("max_total_tokens", "max_total_tokens and max_tokens exclude each other; give one");
        }
        if (request.streamOptions() != null && !request.streams()) {
            throw ApiException.invalid("stream_options", "stream_options needs stream: true");
        }
        SamplingValidation.sampling(request, model.vocabulary());
        Seeds.of(request.seed(), request.choices());
        StopStrings.of(request.stop(), model.defaultStops());
        stopTokens(request, model);
    }

    static GenerationPlan of(
            ServedModel model, GenerationRequest request, List<int[]> prompts, boolean beginsText, int topLogprobs, String param) {
        if (prompts.size() * request.choices() > MOST_CHOICES) {
            throw ApiException.invalid(
                    param,
                    "%d prompts with n = %d make %d choices; at most %d are allowed"
                            .formatted(prompts.size(), request.choices(), prompts.size() * request.choices(), MOST_CHOICES));
        }
        Sampling sampling = SamplingValidation.sampling(request, model.vocabulary());
        Set<Integer> stopTokens = stopTokens(request, model);
        long[] seeds = Seeds.of(request.seed(), request.choices());
        List<Prompt> choices = new ArrayList<>();
        int promptTokens = 0;
        for (int[] tokens : prompts) {
            ContextLength.checkTokens(model, param, tokens.length);
            int maxTokens = ContextLength.maxTokens(model, request, tokens.length);
            int minTokens = minTokens(request, tokens.length, maxTokens);
            promptTokens += tokens.length;
            for (long seed : seeds) {
                choices.add(new Prompt(
                        tokens, maxTokens, minTokens, stopTokens, SamplingValidation.withSeed(sampling, seed), topLogprobs));
            }
        }
        return new GenerationPlan(
                model,
                List.copyOf(choices),
                beginsText,
                StopStrings.of(request.stop(), model.defaultStops()),
                promptTokens,
                request.streams(),
                request.includesUsage());
    }

    private static int minTokens(GenerationRequest request, int promptTokens, int maxTokens) {
        int minTokens = request.minTokens() == null ? 0 : request.minTokens();
        if (request.minTotalTokens() != null) {
            minTokens = Math.max(minTokens, request.minTotalTokens() - promptTokens);
        }
        if (minTokens > maxTokens) {
            throw ApiException.invalid(
                    "min_tokens", "min_tokens is %d; at most %d tokens may be generated".formatted(minTokens, maxTokens));
        }
        return minTokens;
    }

    private static Set<Integer> stopTokens(GenerationRequest request, ServedModel model) {
        if (request.eosToken() == null) {
            return model.eosTokens();
        }
        Set<Integer> tokens = new LinkedHashSet<>();
        request.eosToken().forEach(id -> tokens.add(Check.token("eos_token", id, model.vocabulary())));
        return tokens;
    }
}
