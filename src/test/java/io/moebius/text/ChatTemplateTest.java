package io.moebius.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.moebius.text.template.Template;
import io.moebius.text.template.TemplateException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Renders against jinja2's own. */
class ChatTemplateTest {

    private static final Path SHARED = Path.of("../shared/data");

    @Test
    void rendersAsJinja2Does() {
        Path vectors = SHARED.resolve("vectors/chat_templates_llamacpp.json");
        assumeTrue(Files.exists(vectors), "the public templates are not beside the project");
        JsonNode json = TestFiles.json(vectors);
        List<Map<String, Object>> conversation = messages(json.get("conversation"));
        for (JsonNode test : json.get("cases")) {
            check(test, "jinja2_with_system", conversation);
            check(test, "jinja2_without_system", conversation.subList(1, conversation.size()));
        }
    }

    private static void check(JsonNode test, String key, List<Map<String, Object>> messages) {
        JsonNode expected = test.path(key);
        if (expected.isMissingNode()) {
            return;
        }
        Map<String, Object> context = context(messages);
        context.put("bos_token", test.path("bos_token").asText());
        context.put("eos_token", test.path("eos_token").asText());
        Template template = Template.parse(test.get("template_str").asText());
        String name = test.get("name").asText();
        if (expected.has("error")) {
            assertThatThrownBy(() -> template.render(context)).as(name).isInstanceOf(TemplateException.class);
        } else {
            assertThat(template.render(context)).as(name).isEqualTo(expected.get("text").asText());
        }
    }

    @Test
    void rendersMixtralsTwoTemplates(@TempDir Path temporary) {
        ModelText older = TestFiles.mistral(temporary, false);
        ModelText newer = TestFiles.mistral(temporary, true);
        for (JsonNode test : TestFiles.json(TestFiles.TEXT.resolve("mixtral_chat_hf_style.json")).get("cases")) {
            List<ChatMessage> messages = TestFiles.messages(test.get("messages"));
            check(older, messages, test.get("legacy_tokenizer_old_template"));
            check(newer, messages, test.get("metaspace_tokenizer_system_template"));
        }
    }

    private static void check(ModelText text, List<ChatMessage> messages, JsonNode expected) {
        if (expected.has("text")) {
            assertThat(text.render(messages)).isEqualTo(expected.get("text").asText());
        } else {
            assertThatThrownBy(() -> text.render(messages)).isInstanceOf(TemplateException.class);
        }
    }

    @Test
    void rendersQwen3sTemplate() {
        Path config = SHARED.resolve("tokenizers/qwen3/tokenizer_config.json");
        assumeTrue(Files.exists(config), "Qwen3's files are not beside the project");
        Template template = Template.parse(TestFiles.json(config).get("chat_template").asText());
        JsonNode vectors = TestFiles.json(TestFiles.TEXT.resolve("chat_other_moe_generated.json"));
        Map<String, Object> context = context(messages(vectors.get("messages")));
        JsonNode expected = vectors.at("/results/qwen3");
        assertThat(template.render(context)).isEqualTo(expected.get("text").asText());
        context.put("enable_thinking", false);
        assertThat(template.render(context)).isEqualTo(expected.get("text_no_thinking").asText());
    }

    @Test
    void neverEvaluatesWhatAUserWrites() {
        Map<String, Object> context = context(List.of(Map.of("role", "user", "content", "{{ 7 * 7 }}{% for %}")));
        assertThat(Template.parse("{{ messages[0].content }}").render(context)).isEqualTo("{{ 7 * 7 }}{% for %}");
    }

    @Test
    void writesNumbersAsJsonWhereCommasPartThem() {
        Locale usual = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            assertThat(Template.parse("{{ x | tojson }}").render(Map.of("x", 2.0))).isEqualTo("2.0");
        } finally {
            Locale.setDefault(usual);
        }
    }

    @Test
    void endsWhatWouldNotEnd() {
        for (String source : List.of(
                "{% for a in range(100000000) %}x{% endfor %}",
                "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
                "{{ 'x' * 1000000000 }}",
                "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "(".repeat(100) + "{{ " + "(".repeat(100_000) + " }}",
                "{{ " + "not ".repeat(100_000) + "x }}")) {
            assertThatThrownBy(() -> Template.parse(source).render(Map.of()))
                    .as(source.substring(0, Math.min(60, source.length())))
                    .isInstanceOf(TemplateException.class);
        }
    }

    @Test
    void onlyTemplateExceptionsEscapeFromMutatedTemplates(@TempDir Path temporary) {
        String source = TestFiles.json(TestFiles.TEXT.resolve("mistral-v1/tokenizer_config.system.json"))
                .get("chat_template")
                .asText();
        Random random = new Random(7);
        Map<String, Object> context = context(List.of(Map.of("role", "user", "content", "Hello")));
        for (int round = 0; round < 3000; round++) {
            StringBuilder mutated = new StringBuilder(source);
            for (int i = 0; i < 3; i++) {
                mutated.setCharAt(random.nextInt(source.length()), "{}%()[]'\"|.:=-+*~ \nax1".charAt(random.nextInt(22)));
            }
            try {
                Template.parse(mutated.toString()).render(context);
            } catch (TemplateException expected) {
                assertThat(expected.getMessage()).isNotBlank();
            }
        }
    }

    private static Map<String, Object> context(List<Map<String, Object>> messages) {
        Map<String, Object> context = new LinkedHashMap<>();
        context.put("messages", messages);
        context.put("add_generation_prompt", true);
        return context;
    }

    private static List<Map<String, Object>> messages(JsonNode array) {
        List<Map<String, Object>> messages = new ArrayList<>();
        for (JsonNode message : array) {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("role", message.get("role").asText());
            map.put("content", message.get("content").asText());
            messages.add(map);
        }
        return messages;
    }
}
