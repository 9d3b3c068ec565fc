package io.moebius.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * Hugging Face's own tokenizers, from a tokenizer.json whose special tokens were renamed to words that nobody can guess:
 * so text from users never holds one, and the template's are renamed before its text is encoded.
 */
public final class DjlTokenizer implements Tokenizer {

    private static final long MAX_BYTES = 256 << 20;
    private static final Map<String, String> WHOLE_TEXT =
            Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false");

    private final HuggingFaceTokenizer tokenizer;
    private final Vocabulary vocabulary;
    private final Map<String, String> secretNames;
    private final Pattern specialNames;
    private final String mark;
    private final int bosToken;

    private DjlTokenizer(
            HuggingFaceTokenizer tokenizer, Vocabulary vocabulary, Map<String, String> secretNames, String mark, int bosToken) {
        this.tokenizer = tokenizer;
        this.vocabulary = vocabulary;
        this.secretNames = secretNames;
        this.specialNames = Pattern.compile(secretNames.keySet().stream()
                .sorted((a, b) -> b.length() - a.length())
                .map(Pattern::quote)
                .collect(Collectors.joining("|")));
        this.mark = mark;
        this.bosToken = bosToken;
    }

    /**
     * Opens a tokenizer.json.
     *
     * @param bosName name of the beginning-of-sequence token, null for none
     * @throws TextException if the file is missing, too large, or no tokenizer
     */
    public static DjlTokenizer open(Path file, String bosName) {
        // Without this the library looks for a network at its first use.
        System.setProperty("ai.djl.offline", "true");
        try {
            if (!Files.isRegularFile(file)) {
                throw new TextException("%s is missing; a model needs its tokenizer.json".formatted(file));
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new TextException("%s has %d bytes; at most %d are read".formatted(file, Files.size(file), MAX_BYTES));
            }
            JsonNode json = new ObjectMapper().readTree(file.toFile());
            Vocabulary vocabulary = Vocabulary.of(json);
            String salt = salt();
            Map<String, String> secretNames = new HashMap<>();
            vocabulary.special().forEach((name, id) -> secretNames.put(name, "\uf8f0" + salt + id + "\uf8f1"));
            ObjectNode renamed = rename((ObjectNode) json, secretNames);
            HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(new ObjectMapper().writeValueAsBytes(renamed)), WHOLE_TEXT);
            int bos = bosName == null ? -1 : vocabulary.special().getOrDefault(bosName, -1);
            return new DjlTokenizer(tokenizer, vocabulary, secretNames, "\uf8f2" + salt, bos);
        } catch (IOException | RuntimeException e) {
            if (e instanceof TextException text) {
                throw text;
            }
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new TextException("%s is no tokenizer that can be used: %s".formatted(file, reason), e);
        }
    }

    /** That no client can work out from anything else that was drawn here, such as seeds. */
    private static String salt() {
        byte[] bytes = new byte[16];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static ObjectNode rename(ObjectNode json, Map<String, String> secretNames) {
        for (JsonNode token : json.path("added_tokens")) {
            String secret = secretNames.get(token.path("content").asText());
            if (secret != null) {
                ((ObjectNode) token).put("content", secret);
            }
        }
        ObjectNode vocabulary = (ObjectNode) json.path("model").path("vocab");
        secretNames.forEach((name, secret) -> {
            JsonNode id = vocabulary.remove(name);
            if (id != null) {
                vocabulary.set(secret, id);
            }
        });
        JsonNode unknown = json.path("model").path("unk_token");
        if (secretNames.containsKey(unknown.asText())) {
            ((ObjectNode) json.path("model")).put("unk_token", secretNames.get(unknown.asText()));
        }
        // It would add what add_special_tokens asks for, which nobody does here, under names that are gone.
        json.putNull("post_processor");
        return json;
    }

    @Override
    public int[] encode(String text) {
        return LongStream.of(tokenizer.encode(wellFormed(text), false, false).getIds())
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    /** Text that a user wrote, marked so that {@link #encodeTemplate} leaves the names of special tokens in it alone. */
    public String mark(String text) {
        return specialNames.pattern().isEmpty()
                ? text
                : specialNames.matcher(text).replaceAll(found -> quote(found.group()));
    }

    private String quote(String name) {
        return Matcher.quoteReplacement(name.charAt(0) + mark + name.substring(1));
    }

    @Override
    public int[] encodeTemplate(String text) {
        String renamed = specialNames.pattern().isEmpty()
                ? text
                : specialNames.matcher(text).replaceAll(found -> secretNames.get(found.group()));
        return encode(renamed.replace(mark, ""));
    }

    /** Halves of surrogate pairs are no text; they become U+FFFD. */
    private static String wellFormed(String text) {
        return text.codePoints()
                .map(c -> Character.isSurrogate((char) c) && c <= Character.MAX_VALUE ? 0xfffd : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        TextStream stream = new TextStream(this, List.of(), skipSpecialTokens, true);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(stream.add(id));
        }
        return text.append(stream.finish()).toString();
    }

    @Override
    public byte[] bytes(int id) {
        return id < vocabulary.bytes().length ? vocabulary.bytes()[id].clone() : new byte[0];
    }

    @Override
    public boolean isSpecial(int id) {
        return vocabulary.special().containsValue(id);
    }

    @Override
    public boolean stripsFirstSpace() {
        return vocabulary.stripsFirstSpace();
    }

    @Override
    public int vocabulary() {
        return vocabulary.bytes().length;
    }

    @Override
    public int bosToken() {
        return bosToken;
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
