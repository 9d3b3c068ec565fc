package io.moebius.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Text of tokens as they arrive: holds back the bytes of half a character, and text that a stop string may begin with.
 * What it returns adds up to the decoded text, up to the first stop string.
 */
public final class TextStream {

    private final Tokenizer tokenizer;
    private final List<String> stops;
    private final boolean skipSpecialTokens;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private final StringBuilder held = new StringBuilder();
    private byte[] partial = {};
    private boolean begun;
    private boolean stopped;

    /** @param begins the tokens are a text of its own, whose first space some tokenizers add; else they go on from another */
    public TextStream(Tokenizer tokenizer, List<String> stops, boolean skipSpecialTokens, boolean begins) {
        this.tokenizer = tokenizer;
        this.stops = List.copyOf(stops);
        this.skipSpecialTokens = skipSpecialTokens;
        this.begun = !begins;
    }

    /** The text that may be shown now. */
    public String add(int token) {
        if (stopped || skipSpecialTokens && tokenizer.isSpecial(token)) {
            return "";
        }
        decode(tokenizer.bytes(token), false);
        return release();
    }

    /** Whether a stop string has been matched; nothing more will be returned. */
    public boolean stopped() {
        return stopped;
    }

    /** What is held back at the end; half a character becomes U+FFFD. */
    public String finish() {
        if (!stopped) {
            decode(new byte[0], true);
            cutAtStop();
        }
        String rest = held.toString();
        held.setLength(0);
        return rest;
    }

    private void decode(byte[] bytes, boolean end) {
        int from = !begun && bytes.length > 0 && bytes[0] == ' ' && tokenizer.stripsFirstSpace() ? 1 : 0;
        begun |= bytes.length > 0;
        byte[] all = Arrays.copyOf(partial, partial.length + bytes.length - from);
        System.arraycopy(bytes, from, all, partial.length, bytes.length - from);
        ByteBuffer in = ByteBuffer.wrap(all);
        CharBuffer out = CharBuffer.allocate(all.length + 1);
        decoder.reset();
        decoder.decode(in, out, end);
        held.append(out.flip());
        partial = Arrays.copyOfRange(all, in.position(), all.length);
    }

    private String release() {
        if (cutAtStop()) {
            String rest = held.toString();
            held.setLength(0);
            return rest;
        }
        int keep = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > keep; length--) {
                if (stop.startsWith(held.substring(held.length() - length))) {
                    keep = length;
                }
            }
        }
        String text = held.substring(0, held.length() - keep);
        held.delete(0, held.length() - keep);
        return text;
    }

    /** Drops held text from the earliest stop string on. */
    private boolean cutAtStop() {
        int first = stops.stream().mapToInt(held::indexOf).filter(at -> at >= 0).min().orElse(-1);
        if (first < 0) {
            return false;
        }
        held.setLength(first);
        stopped = true;
        return true;
    }
}
