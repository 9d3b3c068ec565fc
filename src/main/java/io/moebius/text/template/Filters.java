package io.moebius.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The filters that templates use. */
final class Filters {

    private final Budget budget;

    Filters(Budget budget) {
        this.budget = budget;
    }

    Object apply(String name, Object value, List<Object> p, Map<String, Object> named, int line) {
        return switch (name) {
            case "trim" -> Methods.strip(Values.text(value), p.isEmpty() ? null : (String) p.getFirst(), true, true);
            case "length", "count" -> value instanceof String s
                    ? (long) s.codePointCount(0, s.length())
                    : value instanceof Map<?, ?> map ? (long) map.size() : (long) Values.items(value, line).size();
            case "upper" -> Values.text(value).toUpperCase(Locale.ROOT);
            case "lower" -> Values.text(value).toLowerCase(Locale.ROOT);
            case "title" -> Methods.title(Values.text(value));
            case "capitalize" -> Methods.capitalize(Values.text(value));
            case "string" -> Values.text(value);
            case "safe" -> value;
            case "int" -> integer(value, p);
            case "float" -> Values.number(value) == null ? (Object) Double.parseDouble(Values.text(value)) : Values.number(value).doubleValue();
            case "abs" -> Values.number(value) instanceof Long n ? (Object) Math.abs(n) : (Object) Math.abs(Values.number(value).doubleValue());
            case "tojson" -> tojson(value, p, named, line);
            case "join" -> join(value, p, named, line);
            case "default", "d" -> fallback(value, p, named);
            case "first" -> edge(Values.items(value, line), 0);
            case "last" -> edge(Values.items(value, line), Values.items(value, line).size() - 1);
            case "list" -> new ArrayList<Object>(Values.items(value, line));
            case "reverse" -> value instanceof String s ? new StringBuilder(s).reverse().toString() : reversed(Values.items(value, line));
            case "sort" -> sorted(Values.items(value, line), line);
            case "unique" -> unique(Values.items(value, line));
            case "items" -> value instanceof Map<?, ?> map ? map.entrySet().stream().map(Methods::pair).toList() : List.of();
            case "dictsort" -> value instanceof Map<?, ?> map
                    ? map.entrySet().stream().sorted((a, b) -> Values.compare(a.getKey(), b.getKey(), line)).map(Methods::pair).toList()
                    : List.of();
            case "replace" -> Methods.replace(Values.text(value), p, budget, line);
            case "indent" -> indent(Values.text(value), p, named, line);
            default -> throw TemplateException.at(line, "the filter " + name + " is not supported");
        };
    }

    private static Object integer(Object value, List<Object> p) {
        Number number = Values.number(value);
        if (number != null) {
            return number.longValue();
        }
        try {
            return Long.parseLong(Values.text(value).strip());
        } catch (NumberFormatException e) {
            return p.isEmpty() ? 0L : p.getFirst();
        }
    }

    private String tojson(Object value, List<Object> p, Map<String, Object> named, int line) {
        Object indent = p.isEmpty() ? named.get("indent") : p.getFirst();
        long spaces = indent == null ? -1 : Values.integer(indent, line);
        if (spaces > 16) {
            throw TemplateException.at(line, "tojson indents by " + spaces + "; at most 16");
        }
        String json = Json.of(value, (int) spaces);
        budget.characters(json.length(), line);
        return json;
    }

    private String join(Object value, List<Object> p, Map<String, Object> named, int line) {
        String separator = p.isEmpty() ? "" : Values.text(p.getFirst());
        Object attribute = p.size() > 1 ? p.get(1) : named.get("attribute");
        List<String> parts = Values.items(value, line).stream()
                .map(item -> Values.text(attribute == null ? item : ((Map<?, ?>) item).get(attribute)))
                .toList();
        budget.characters(parts.stream().mapToLong(part -> part.length() + (long) separator.length()).sum(), line);
        return String.join(separator, parts);
    }

    private static Object fallback(Object value, List<Object> p, Map<String, Object> named) {
        Object otherwise = p.isEmpty() ? named.getOrDefault("default_value", "") : p.getFirst();
        boolean falseToo = Values.truth(p.size() > 1 ? p.get(1) : named.getOrDefault("boolean", false));
        return value instanceof Values.Undefined || falseToo && !Values.truth(value) ? otherwise : value;
    }

    private static Object edge(List<?> items, int index) {
        return items.isEmpty() ? new Values.Undefined("item of an empty list") : items.get(index);
    }

    static List<Object> reversed(List<?> items) {
        List<Object> reversed = new ArrayList<>(items);
        Collections.reverse(reversed);
        return reversed;
    }

    private static List<Object> sorted(List<?> items, int line) {
        List<Object> sorted = new ArrayList<>(items);
        sorted.sort((a, b) -> Values.compare(a, b, line));
        return sorted;
    }

    private static List<Object> unique(List<?> items) {
        Map<Object, Object> seen = new LinkedHashMap<>();
        items.forEach(item -> seen.putIfAbsent(item, item));
        return new ArrayList<>(seen.values());
    }

    private String indent(String text, List<Object> p, Map<String, Object> named, int line) {
        Object width = p.isEmpty() ? named.getOrDefault("width", 4L) : p.getFirst();
        boolean first = Values.truth(p.size() > 1 ? p.get(1) : named.getOrDefault("first", false));
        String margin = width instanceof String s ? s : " ".repeat((int) Math.clamp(Values.integer(width, line), 0, 100));
        String[] lines = text.split("\n", -1);
        budget.characters(text.length() + (long) lines.length * margin.length(), line);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < lines.length; i++) {
            out.append(i > 0 ? "\n" : "").append((i > 0 || first) && !lines[i].isEmpty() ? margin : "").append(lines[i]);
        }
        return out.toString();
    }
}
