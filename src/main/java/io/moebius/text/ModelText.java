package io.moebius.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.moebius.text.template.Template;
import io.moebius.text.template.TemplateException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model's tokenizer and chat template.
 *
 * @param specialTokens bos_token, eos_token and the like, as the template sees them
 */
public record ModelText(DjlTokenizer tokenizer, Optional<Template> template, Map<String, String> specialTokens) {

    private static final List<String> SPECIAL = List.of("bos_token", "eos_token", "unk_token", "pad_token");

    /**
     * Opens tokenizer.json and tokenizer_config.json, with chat_template.jinja where there is one.
     *
     * @param tokenizerFile another tokenizer.json, or null
     */
    public static ModelText open(Path folder, Path tokenizerFile) {
        JsonNode config = config(folder.resolve("tokenizer_config.json"));
        Map<String, String> special = new HashMap<>();
        for (String name : SPECIAL) {
            JsonNode token = config.path(name);
            String content = token.isObject() ? token.path("content").textValue() : token.textValue();
            if (content != null) {
                special.put(name, content);
            }
        }
        Path file = tokenizerFile == null ? folder.resolve("tokenizer.json") : tokenizerFile;
        return new ModelText(DjlTokenizer.open(file, special.get("bos_token")), template(folder, config), special);
    }

    private static JsonNode config(Path file) {
        if (!Files.isRegularFile(file)) {
            return new ObjectMapper().createObjectNode();
        }
        try {
            return new ObjectMapper().readTree(file.toFile());
        } catch (IOException e) {
            throw new TextException(
                    "%s is not valid JSON: %s".formatted(file, String.valueOf(e.getMessage()).lines().findFirst().orElse("")), e);
        }
    }

    private static Optional<Template> template(Path folder, JsonNode config) {
        try {
            Path jinja = folder.resolve("chat_template.jinja");
            if (Files.isRegularFile(jinja)) {
                return Optional.of(Template.parse(Files.readString(jinja)));
            }
            JsonNode source = config.path("chat_template");
            for (JsonNode named : source.isArray() ? source : List.<JsonNode>of()) {
                if (named.path("name").asText().equals("default")) {
                    source = named.path("template");
                }
            }
            return source.isTextual() ? Optional.of(Template.parse(source.textValue())) : Optional.empty();
        } catch (IOException | TemplateException e) {
            throw new TextException("%s: %s".formatted(folder, e.getMessage()), e);
        }
    }

    /** The conversation as the model was trained to read it, ending where the assistant begins. */
    public String render(List<ChatMessage> messages) {
        Map<String, Object> context = new LinkedHashMap<>(specialTokens);
        context.put("messages", messages.stream().map(ModelText::asMap).toList());
        context.put("add_generation_prompt", true);
        return template
                .orElseThrow(() -> new TemplateException("this model has no chat template; use /v1/completions"))
                .render(context);
    }

    private static Map<String, Object> asMap(ChatMessage message) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("role", message.role());
        map.put("content", message.content());
        return map;
    }

    /** Ids of the rendered conversation; the names of special tokens in the messages stay plain text. */
    public int[] chatIds(List<ChatMessage> messages) {
        return tokenizer.encodeTemplate(render(
                messages.stream().map(message -> new ChatMessage(message.role(), tokenizer.mark(message.content()))).toList()));
    }
}
