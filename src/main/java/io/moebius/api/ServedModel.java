package io.moebius.api;

import io.moebius.engine.Engine;
import io.moebius.text.Tokenizer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/**
 * What the endpoints answer with.
 *
 * @param id                the name in replies and in the list of models
 * @param aliases           further names that a request may use
 * @param created           when the model was loaded
 * @param vocabulary        width of the model's logits; may differ from the tokenizer's
 * @param longestTokenBytes most bytes of text that one token covers
 * @param maxSequenceLength most tokens of prompt and answer together
 * @param addSpecialTokens  a text prompt gets the tokenizer's BOS
 * @param skipSpecialTokens special tokens leave no text in the answer
 * @param eosTokens         ids that end an answer
 * @param defaultStops      stop strings of requests that name none
 * @param timeout           longest time of a request; zero is none
 */
public record ServedModel(
        String id,
        List<String> aliases,
        Instant created,
        Engine engine,
        Tokenizer tokenizer,
        ChatTemplate chatTemplate,
        int vocabulary,
        int longestTokenBytes,
        int maxSequenceLength,
        boolean addSpecialTokens,
        boolean skipSpecialTokens,
        Set<Integer> eosTokens,
        List<String> defaultStops,
        Duration timeout) {

    /** Most bytes that one of the tokenizer's tokens stands for, at least 1. */
    public static int longestTokenBytes(Tokenizer tokenizer) {
        int longest = 1;
        for (int id = 0; id < tokenizer.vocabulary(); id++) {
            longest = Math.max(longest, tokenizer.bytes(id).length);
        }
        return longest;
    }

    boolean answersTo(String name) {
        return name.equals(id) || aliases.contains(name);
    }
}
