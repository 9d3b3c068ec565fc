package io.moebius.api;

import io.moebius.engine.Engine;
import io.moebius.text.template.TemplateException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/** A served model around a scripted engine. */
final class Serving {

    static final int VOCABULARY = 300;
    static final int MAX_LENGTH = 2048;

    private Serving() {}

    static ServedModel with(Engine engine, Duration timeout) {
        ByteTokenizer tokenizer = new ByteTokenizer();
        return new ServedModel(
                "test/model",
                List.of("alias"),
                Instant.ofEpochSecond(1_700_000_000),
                engine,
                tokenizer,
                messages -> {
                    StringBuilder text = new StringBuilder();
                    messages.forEach(message -> {
                        if (message.content().equals("refuse me")) {
                            throw new TemplateException("roles must alternate");
                        }
                        text.append(message.role()).append(": ").append(message.content()).append('\n');
                    });
                    return ByteTokenizer.ids(text.toString());
                },
                VOCABULARY,
                ServedModel.longestTokenBytes(tokenizer),
                MAX_LENGTH,
                true,
                true,
                Set.of(ByteTokenizer.EOS),
                List.of(),
                timeout);
    }
}
