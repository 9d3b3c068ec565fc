package io.moebius.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What each id of a tokenizer.json stands for.
 *
 * @param bytes          [ids] bytes, of special tokens their names; empty for ids without an entry
 * @param special        names and ids of tokens that only the template may write
 * @param stripsFirstSpace decoding drops one space at the start of a text
 */
record Vocabulary(byte[][] bytes, Map<String, Integer> special, boolean stripsFirstSpace) {

    private static final int MAX_IDS = 1 << 22;
    private static final Pattern BYTE = Pattern.compile("<0x([0-9A-F]{2})>");

    static Vocabulary of(JsonNode tokenizer) {
        Map<Integer, String> entries = new HashMap<>();
        JsonNode vocabulary = tokenizer.path("model").path("vocab");
        if (!vocabulary.isObject()) {
            throw new TextException("tokenizer.json: model.vocab must be an object; allowed: BPE and WordPiece models");
        }
        vocabulary.fields().forEachRemaining(entry -> entries.put(id(entry.getValue()), entry.getKey()));
        Map<String, Integer> special = new HashMap<>();
        Map<Integer, String> added = new HashMap<>();
        for (JsonNode token : tokenizer.path("added_tokens")) {
            added.put(id(token.path("id")), token.path("content").asText());
            if (token.path("special").asBoolean()) {
                special.put(token.path("content").asText(), token.path("id").intValue());
            }
        }
        int size = 1 + Math.max(
                entries.keySet().stream().mapToInt(i -> i).max().orElse(-1),
                added.keySet().stream().mapToInt(i -> i).max().orElse(-1));
        boolean byteLevel = mentions(tokenizer.path("decoder"), "ByteLevel");
        byte[][] bytes = new byte[size][];
        for (int id = 0; id < size; id++) {
            String text = added.get(id);
            bytes[id] = text != null
                    ? text.getBytes(StandardCharsets.UTF_8)
                    : bytes(entries.getOrDefault(id, ""), byteLevel);
        }
        boolean strips = mentions(tokenizer.path("decoder"), "Strip") || mentions(tokenizer.path("decoder"), "Metaspace");
        return new Vocabulary(bytes, special, strips);
    }

    private static int id(JsonNode value) {
        if (!value.isInt() || value.intValue() < 0 || value.intValue() >= MAX_IDS) {
            throw new TextException("tokenizer.json: an id is %s; allowed: 0 to %d".formatted(value, MAX_IDS - 1));
        }
        return value.intValue();
    }

    private static boolean mentions(JsonNode decoder, String type) {
        if (decoder.path("type").asText().equals(type)) {
            return true;
        }
        for (JsonNode part : decoder.path("decoders")) {
            if (mentions(part, type)) {
                return true;
            }
        }
        return false;
    }

    private static byte[] bytes(String entry, boolean byteLevel) {
        if (byteLevel) {
            byte[] out = new byte[entry.length()];
            for (int i = 0; i < out.length; i++) {
                out[i] = (byte) byteOf(entry.charAt(i));
            }
            return out;
        }
        Matcher single = BYTE.matcher(entry);
        return single.matches()
                ? new byte[] {(byte) Integer.parseInt(single.group(1), 16)}
                : entry.replace('\u2581', ' ').getBytes(StandardCharsets.UTF_8);
    }

    /** The byte behind a character of GPT-2's byte-level alphabet: printable Latin-1 as it is, the others in order from U+0100. */
    private static int byteOf(char c) {
        if (c < 0x100) {
            return c;
        }
        int rest = c - 0x100;
        int index = 0;
        for (int b = 0; b < 0x100; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            if (!printable && index++ == rest) {
                return b;
            }
        }
        return '?';
    }
}
