package io.moebius.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;

/** The methods of text, mappings and lists that templates call. */
final class Methods {

    private Methods() {}

    /** The method {@code name} bound to {@code value}, or null if it has none. */
    static Values.Callable find(Object value, String name, Budget budget, int line) {
        return switch (value) {
            case String s -> ofText(s, name, budget, line);
            case Map<?, ?> map -> ofMapping(map, name);
            case List<?> list -> ofList(list, name);
            case null, default -> null;
        };
    }

    private static Values.Callable ofText(String s, String name, Budget budget, int line) {
        return switch (name) {
            case "strip" -> (p, n) -> strip(s, characters(p), true, true);
            case "lstrip" -> (p, n) -> strip(s, characters(p), true, false);
            case "rstrip" -> (p, n) -> strip(s, characters(p), false, true);
            case "startswith" -> (p, n) -> any(p, s::startsWith);
            case "endswith" -> (p, n) -> any(p, s::endsWith);
            case "upper" -> (p, n) -> s.toUpperCase(Locale.ROOT);
            case "lower" -> (p, n) -> s.toLowerCase(Locale.ROOT);
            case "title" -> (p, n) -> title(s);
            case "capitalize" -> (p, n) -> capitalize(s);
            case "split" -> (p, n) -> split(s, p, n, line);
            case "splitlines" -> (p, n) -> s.lines().toList();
            case "replace" -> (p, n) -> replace(s, p, budget, line);
            case "join" -> (p, n) -> {
                List<String> parts = Values.items(p.getFirst(), line).stream().map(Values::text).toList();
                budget.characters(parts.stream().mapToLong(part -> part.length() + (long) s.length()).sum(), line);
                return String.join(s, parts);
            };
            case "find" -> (p, n) -> (long) s.indexOf((String) p.getFirst());
            case "count" -> (p, n) -> count(s, (String) p.getFirst());
            case "isdigit" -> (p, n) -> !s.isEmpty() && s.chars().allMatch(Character::isDigit);
            case "removeprefix" -> (p, n) -> s.startsWith((String) p.getFirst()) ? s.substring(((String) p.getFirst()).length()) : s;
            case "removesuffix" -> (p, n) ->
                    s.endsWith((String) p.getFirst()) ? s.substring(0, s.length() - ((String) p.getFirst()).length()) : s;
            default -> null;
        };
    }

    private static Values.Callable ofMapping(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" -> (p, n) -> map.entrySet().stream().map(Methods::pair).toList();
            case "keys" -> (p, n) -> new ArrayList<Object>(map.keySet());
            case "values" -> (p, n) -> new ArrayList<Object>(map.values());
            case "get" -> (p, n) -> map.containsKey(p.getFirst()) ? map.get(p.getFirst()) : p.size() > 1 ? p.get(1) : null;
            default -> null;
        };
    }

    static List<Object> pair(Map.Entry<?, ?> entry) {
        List<Object> pair = new ArrayList<>();
        pair.add(entry.getKey());
        pair.add(entry.getValue());
        return pair;
    }

    @SuppressWarnings("unchecked")
    private static Values.Callable ofList(List<?> list, String name) {
        return switch (name) {
            case "append" -> (p, n) -> {
                ((List<Object>) list).add(p.getFirst());
                return null;
            };
            case "index" -> (p, n) -> (long) list.indexOf(p.getFirst());
            default -> null;
        };
    }

    private static String characters(List<Object> positional) {
        return positional.isEmpty() || positional.getFirst() == null ? null : (String) positional.getFirst();
    }

    /** @param characters what to take away, null for white space */
    static String strip(String s, String characters, boolean left, boolean right) {
        int from = 0;
        int to = s.length();
        while (left && from < to && strips(s.charAt(from), characters)) {
            from++;
        }
        while (right && to > from && strips(s.charAt(to - 1), characters)) {
            to--;
        }
        return s.substring(from, to);
    }

    private static boolean strips(char c, String characters) {
        return characters == null ? Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85 : characters.indexOf(c) >= 0;
    }

    private static boolean any(List<Object> positional, Predicate<String> test) {
        return positional.getFirst() instanceof List<?> several
                ? several.stream().anyMatch(each -> test.test((String) each))
                : test.test((String) positional.getFirst());
    }

    static String title(String s) {
        StringBuilder out = new StringBuilder();
        boolean start = true;
        for (char c : s.toCharArray()) {
            out.append(start ? Character.toTitleCase(c) : Character.toLowerCase(c));
            start = !Character.isLetter(c);
        }
        return out.toString();
    }

    static String capitalize(String s) {
        return s.isEmpty() ? s : s.substring(0, 1).toUpperCase(Locale.ROOT) + s.substring(1).toLowerCase(Locale.ROOT);
    }

    private static List<String> split(String s, List<Object> positional, Map<String, Object> named, int line) {
        String separator = characters(positional);
        Object limit = positional.size() > 1 ? positional.get(1) : named.getOrDefault("maxsplit", -1L);
        long most = Values.integer(limit, line);
        if (separator == null) {
            return s.isBlank() ? List.of() : List.of(s.strip().split("\\s+", most < 0 ? 0 : (int) most + 1));
        }
        if (separator.isEmpty()) {
            throw TemplateException.at(line, "split needs a separator that is not empty");
        }
        List<String> parts = new ArrayList<>();
        int from = 0;
        int at = s.indexOf(separator);
        while (at >= 0 && (most < 0 || parts.size() < most)) {
            parts.add(s.substring(from, at));
            from = at + separator.length();
            at = s.indexOf(separator, from);
        }
        parts.add(s.substring(from));
        return parts;
    }

    static String replace(String s, List<Object> positional, Budget budget, int line) {
        String from = (String) positional.get(0);
        String to = (String) positional.get(1);
        budget.characters(s.length() + count(s, from) * (long) to.length(), line);
        return s.replace(from, to);
    }

    private static long count(String s, String part) {
        if (part.isEmpty()) {
            return s.length() + 1L;
        }
        long count = 0;
        for (int at = s.indexOf(part); at >= 0; at = s.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }
}
