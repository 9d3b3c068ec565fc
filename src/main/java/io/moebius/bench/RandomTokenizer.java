package io.moebius.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A byte-level tokenizer.json: every byte is a token; what is left of the vocabulary can be generated, but not written. */
final class RandomTokenizer {

    private static final List<String> SPECIAL = List.of("<unk>", "<s>", "</s>");

    /** The special tokens and the bytes. */
    static final int SMALLEST = SPECIAL.size() + 256;

    static final int BOS = 1;
    static final int EOS = 2;

    private RandomTokenizer() {}

    static Map<String, Object> tokenizer(int vocabulary) {
        Map<String, Integer> entries = new LinkedHashMap<>();
        SPECIAL.forEach(name -> entries.put(name, entries.size()));
        int rest = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            entries.put(String.valueOf((char) (printable ? b : rest++)), entries.size());
        }
        while (entries.size() < vocabulary) {
            entries.put("word" + entries.size(), entries.size());
        }
        List<Map<String, Object>> added = new ArrayList<>();
        for (String name : SPECIAL) {
            added.add(Map.of(
                    "id", entries.get(name), "content", name, "special", true, "normalized", false,
                    "single_word", false, "lstrip", false, "rstrip", false));
        }
        Map<String, Object> bytes = Map.of("type", "ByteLevel", "add_prefix_space", false, "trim_offsets", true, "use_regex", false);
        Map<String, Object> tokenizer = new LinkedHashMap<>();
        tokenizer.put("version", "1.0");
        tokenizer.put("truncation", null);
        tokenizer.put("padding", null);
        tokenizer.put("added_tokens", added);
        tokenizer.put("normalizer", null);
        tokenizer.put("pre_tokenizer", bytes);
        tokenizer.put("post_processor", null);
        tokenizer.put("decoder", bytes);
        tokenizer.put("model", model(entries));
        return tokenizer;
    }

    private static Map<String, Object> model(Map<String, Integer> entries) {
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("type", "BPE");
        model.put("dropout", null);
        model.put("unk_token", "<unk>");
        model.put("fuse_unk", false);
        model.put("byte_fallback", false);
        model.put("vocab", entries);
        model.put("merges", List.of());
        return model;
    }

    /** tokenizer_config.json. */
    static Map<String, Object> configuration() {
        return Map.of(
                "bos_token", "<s>",
                "eos_token", "</s>",
                "unk_token", "<unk>",
                "chat_template",
                "{{ bos_token }}{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}[assistant] ");
    }
}
