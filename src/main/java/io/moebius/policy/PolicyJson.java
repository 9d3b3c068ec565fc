package io.moebius.policy;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.moebius.backend.Site;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A policy as JSON; policy/policy.schema.json describes it. */
final class PolicyJson {

    static final int SCHEMA = 1;

    private static final int MAX_CHOICES = 100_000;
    private static final int MAX_TOKENS = 1 << 20;
    private static final Set<String> TOP =
            Set.of("schema", "build", "device", "cores", "driver", "devices", "model", "format", "choices");
    private static final Set<String> LINE = Set.of(
            "kernel", "shape", "tokens", "variant", "micros", "default_micros", "runner_up", "runner_up_micros", "bound_micros");
    private static final ObjectMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).maxStringLength(1000).build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private PolicyJson() {}

    /** @throws PolicyException saying what is wrong, to be put behind the file's name */
    static Policy read(byte[] bytes) {
        JsonNode root;
        try {
            root = JSON.readTree(bytes);
        } catch (JacksonException e) {
            throw new PolicyException("not JSON: " + oneLine(e.getOriginalMessage().lines().findFirst().orElse("")));
        } catch (IOException e) {
            throw new PolicyException("not JSON: " + oneLine(e.getMessage()));
        }
        fields(root, TOP, "the file");
        int schema = whole(root, "schema", Integer.MAX_VALUE);
        if (schema != SCHEMA) {
            throw new PolicyException("schema is %d here, %d there".formatted(SCHEMA, schema));
        }
        Origin origin = new Origin(
                text(root, "build"), text(root, "device"), whole(root, "cores", 1 << 20), whole(root, "driver", 1 << 20),
                whole(root, "devices", 1024), text(root, "model"), text(root, "format"));
        JsonNode lines = root.get("choices");
        if (!lines.isArray() || lines.size() > MAX_CHOICES) {
            throw new PolicyException("choices is no list of at most " + MAX_CHOICES);
        }
        List<Choice> choices = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (JsonNode line : lines) {
            fields(line, LINE, "a choice");
            Site site = new Site(text(line, "kernel"), text(line, "shape"));
            int tokens = whole(line, "tokens", MAX_TOKENS);
            if (tokens == 0 || !seen.add(site + " " + tokens)) {
                throw new PolicyException("%s at %d tokens stands there twice, or has no tokens".formatted(site, tokens));
            }
            choices.add(new Choice(
                    site, tokens, text(line, "variant"), time(line, "micros"), time(line, "default_micros"),
                    text(line, "runner_up", 0), time(line, "runner_up_micros"), time(line, "bound_micros")));
        }
        return new Policy(origin, List.copyOf(choices));
    }

    private static void fields(JsonNode node, Set<String> names, String what) {
        if (!node.isObject()) {
            throw new PolicyException(what + " is no JSON object");
        }
        Set<String> there = new HashSet<>();
        node.fieldNames().forEachRemaining(there::add);
        for (String name : names) {
            if (!there.remove(name)) {
                throw new PolicyException(what + " has no " + name);
            }
        }
        if (!there.isEmpty()) {
            throw new PolicyException(what + " has an unknown field " + oneLine(there.iterator().next()));
        }
    }

    private static String text(JsonNode node, String field) {
        return text(node, field, 1);
    }

    /** Of at least {@code least} characters, none of which a terminal takes for a command. */
    private static String text(JsonNode node, String field, int least) {
        JsonNode value = node.get(field);
        String text = value.isTextual() ? value.textValue() : null;
        if (text == null || text.strip().length() < least || text.length() > 300 || text.chars().anyMatch(Character::isISOControl)) {
            throw new PolicyException(
                    "%s is %s, allowed: a text of %d to 300 characters".formatted(field, oneLine(value.toString()), least));
        }
        return text;
    }

    private static int whole(JsonNode node, String field, int most) {
        JsonNode value = node.get(field);
        if (!value.isInt() || value.intValue() < 0 || value.intValue() > most) {
            throw new PolicyException(field + " is " + oneLine(value.toString()) + ", allowed: 0 to " + most);
        }
        return value.intValue();
    }

    private static double time(JsonNode node, String field) {
        JsonNode value = node.get(field);
        if (!value.isNumber() || !Double.isFinite(value.doubleValue()) || value.doubleValue() < 0) {
            throw new PolicyException(field + " is " + oneLine(value.toString()) + ", allowed: microseconds");
        }
        return value.doubleValue();
    }

    private static String oneLine(String text) {
        String line = text.replaceAll("\\p{Cc}", "?");
        return line.length() > 100 ? line.substring(0, 100) + "..." : line;
    }

    /** A line for each choice, so that two files can be compared by any tool. */
    static String write(Policy policy) {
        StringBuilder out = new StringBuilder("{\n  \"schema\": " + SCHEMA);
        policy.origin().fields().forEach((field, value) -> out.append(",\n  \"").append(field).append("\": ").append(
                value instanceof String ? quoted((String) value) : value.toString()));
        out.append(",\n  \"choices\": [");
        String separator = "\n    ";
        for (Choice choice : policy.choices()) {
            ObjectNode line = JSON.createObjectNode()
                    .put("kernel", choice.site().kernel())
                    .put("shape", choice.site().shape())
                    .put("tokens", choice.tokens())
                    .put("variant", choice.variant())
                    .put("micros", tenths(choice.micros()))
                    .put("default_micros", tenths(choice.defaultMicros()))
                    .put("runner_up", choice.runnerUp())
                    .put("runner_up_micros", tenths(choice.runnerUpMicros()))
                    .put("bound_micros", tenths(choice.boundMicros()));
            out.append(separator).append(line);
            separator = ",\n    ";
        }
        return out.append("\n  ]\n}\n").toString();
    }

    private static String quoted(String text) {
        return JSON.getNodeFactory().textNode(text).toString();
    }

    private static double tenths(double micros) {
        return Math.round(micros * 10) / 10.0;
    }
}
