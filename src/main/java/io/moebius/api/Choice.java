package io.moebius.api;

import io.moebius.engine.FinishReason;
import io.moebius.engine.GeneratedToken;
import io.moebius.engine.Prompt;
import io.moebius.text.TextStream;
import io.moebius.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/** One answer as it grows. */
final class Choice {

    private final int index;
    private final Prompt prompt;
    private final TextStream stream;
    private final List<GeneratedToken> tokens = new ArrayList<>();
    private final List<GeneratedToken> unreported = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private int reportedText;
    private int tokenOffset;
    private int nextTokenOffset;
    private final Tokenizer tokenizer;
    private boolean ended;
    private String finishReason;

    Choice(int index, Prompt prompt, GenerationPlan plan) {
        this.index = index;
        this.prompt = prompt;
        this.tokenizer = plan.model().tokenizer();
        this.stream = new TextStream(plan.model().tokenizer(), plan.stops(), plan.model().skipSpecialTokens(), plan.beginsText());
    }

    /** A stop token leaves no text; a whole stop string ends the choice. */
    void add(GeneratedToken token) {
        tokens.add(token);
        unreported.add(token);
        if (ended || prompt.stopTokens().contains(token.id())) {
            ended = true;
            return;
        }
        tokenOffset = nextTokenOffset;
        nextTokenOffset += TokenText.of(tokenizer.bytes(token.id())).length();
        text.append(stream.add(token.id()));
        if (stream.stopped()) {
            finishReason = "stop";
        }
    }

    void finish(FinishReason reason) {
        text.append(stream.finish());
        finishReason = stream.stopped() || reason == FinishReason.STOP ? "stop" : "length";
    }

    boolean isOpen() {
        return finishReason == null;
    }

    /** "stop" or "length"; null while open. */
    String finishReason() {
        return finishReason;
    }

    int index() {
        return index;
    }

    long seed() {
        return prompt.sampling().seed();
    }

    /** -1: none asked for. */
    int topLogprobs() {
        return prompt.topLogprobs();
    }

    List<GeneratedToken> tokens() {
        return tokens;
    }

    String text() {
        return text.toString();
    }

    /** Characters of text before the last token, as the texts of single tokens add up. */
    int tokenOffset() {
        return tokenOffset;
    }

    boolean hasNewText() {
        return reportedText < text.length();
    }

    /** Text since the last call. */
    String takeText() {
        String taken = text.substring(reportedText);
        reportedText = text.length();
        return taken;
    }

    /** Tokens since the last call. */
    List<GeneratedToken> takeTokens() {
        List<GeneratedToken> taken = List.copyOf(unreported);
        unreported.clear();
        return taken;
    }

    /** Whether the token has a place in the answer's log probabilities: the one that ended it has none. */
    boolean isStopToken(GeneratedToken token) {
        return prompt.stopTokens().contains(token.id());
    }
}
