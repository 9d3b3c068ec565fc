package io.moebius.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.moebius.engine.GeneratedToken;
import io.moebius.text.Tokenizer;
import java.util.List;

/** Log probabilities in the shape of /v1/completions. */
final class CompletionLogprobs {

    private CompletionLogprobs() {}

    /** @param offset characters of the choice's text before the first of these tokens */
    static ObjectNode of(Tokenizer tokenizer, Choice choice, List<GeneratedToken> tokens, int offset) {
        ObjectNode logprobs = JsonNodeFactory.instance.objectNode();
        ArrayNode texts = logprobs.putArray("tokens");
        ArrayNode values = logprobs.putArray("token_logprobs");
        ArrayNode tops = logprobs.putArray("top_logprobs");
        ArrayNode offsets = logprobs.putArray("text_offset");
        int at = offset;
        for (GeneratedToken token : tokens) {
            if (!choice.isStopToken(token)) {
                String text = TokenText.of(tokenizer.bytes(token.id()));
                texts.add(text);
                values.add(TokenText.logprob(token.logprob()));
                offsets.add(at);
                at += text.length();
                ObjectNode top = tops.addObject();
                token.top().stream().limit(choice.topLogprobs()).forEach(other ->
                        put(top, TokenText.of(tokenizer.bytes(other.id())), other.logprob()));
                put(top, text, token.logprob());
            }
        }
        return logprobs;
    }

    /** Of tokens with the same text, the likeliest stays. */
    private static void put(ObjectNode top, String text, float logprob) {
        if (!top.has(text)) {
            top.put(text, TokenText.logprob(logprob));
        }
    }
}
