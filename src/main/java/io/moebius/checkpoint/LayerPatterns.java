package io.moebius.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The layers that a list of a checkpoint means, by canonical names or those of the file: "re:" and a regular expression that the name begins with, a glob with * and ?,
 * a whole name, its last part ("lm_head", "gate"), or a parent module.
 */
record LayerPatterns(List<Predicate<String>> patterns) {

    static final LayerPatterns NONE = new LayerPatterns(List.of());
    private static final int MOST = 100_000;

    static LayerPatterns of(String... patterns) {
        return new LayerPatterns(Arrays.stream(patterns).map(LayerPatterns::pattern).toList());
    }

    /** @throws CheckpointException if the list is none of texts, or a regular expression is not one */
    static LayerPatterns read(ConfigFields config, String key) {
        if (config.absent(key)) {
            return NONE;
        }
        JsonNode list = config.json().path(key);
        List<Predicate<String>> patterns = new ArrayList<>();
        for (JsonNode entry : list) {
            if (!entry.isTextual() || entry.textValue().length() > 500 || patterns.size() == MOST) {
                throw config.wrong(key, "a list of layer names, of at most 500 characters each");
            }
            try {
                String canonical = TensorNames.canonical(entry.textValue());
                patterns.add(pattern(canonical));
                if (!canonical.equals(entry.textValue())) {
                    patterns.add(pattern(entry.textValue()));
                }
            } catch (PatternSyntaxException e) {
                throw config.wrong(key, "regular expressions after \"re:\"; " + e.getDescription());
            }
        }
        return new LayerPatterns(List.copyOf(patterns));
    }

    boolean match(String layer) {
        return patterns.stream().anyMatch(pattern -> pattern.test(layer));
    }

    private static Predicate<String> pattern(String text) {
        if (text.startsWith("re:")) {
            Pattern expression = Pattern.compile(text.substring(3));
            return layer -> expression.matcher(new Bounded(layer)).lookingAt();
        }
        if (text.contains("*") || text.contains("?")) {
            StringBuilder glob = new StringBuilder();
            text.chars().forEach(c -> glob.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(Character.toString(c))));
            Pattern expression = Pattern.compile(glob.toString());
            return layer -> expression.matcher(new Bounded(layer)).matches();
        }
        return layer -> layer.equals(text) || layer.endsWith("." + text) || layer.startsWith(text + ".");
    }

    /** Text that gives up on an expression that backtracks for ever. */
    private static final class Bounded implements CharSequence {

        private final String text;
        private int looks;

        Bounded(String text) {
            this.text = text;
        }

        @Override
        public char charAt(int index) {
            if (++looks > MOST) {
                throw new CheckpointException("a \"re:\" pattern of config.json takes too long on %s; simplify it".formatted(text));
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
