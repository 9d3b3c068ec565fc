package io.moebius.api;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.moebius.engine.GeneratedToken;
import io.moebius.text.Tokenizer;
import java.util.List;

/** Log probabilities in the shape of /v1/chat/completions. */
final class ChatLogprobs {

    private ChatLogprobs() {}

    static ObjectNode of(Tokenizer tokenizer, Choice choice, List<GeneratedToken> tokens) {
        ObjectNode logprobs = JsonNodeFactory.instance.objectNode();
        ArrayNode content = logprobs.putArray("content");
        for (GeneratedToken token : tokens) {
            if (!choice.isStopToken(token)) {
                ObjectNode entry = entry(content.addObject(), tokenizer, token.id(), token.logprob());
                ArrayNode top = entry.putArray("top_logprobs");
                token.top().stream()
                        .limit(choice.topLogprobs())
                        .forEach(other -> entry(top.addObject(), tokenizer, other.id(), other.logprob()));
            }
        }
        logprobs.putNull("refusal");
        return logprobs;
    }

    private static ObjectNode entry(ObjectNode entry, Tokenizer tokenizer, int id, float logprob) {
        byte[] bytes = tokenizer.bytes(id);
        entry.put("token", TokenText.of(bytes)).put("logprob", TokenText.logprob(logprob));
        TokenText.addBytes(entry.putArray("bytes"), bytes);
        return entry;
    }
}
