package io.moebius.text.template;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Python's view of values: null is None; String, Boolean, Long, Double, List and Map are what they look like; Undefined is
 * a name without a value; Callable a macro, function or bound method.
 */
final class Values {

    /** A missing name or key: prints as nothing, is false, and has no attributes. */
    record Undefined(String name) {}

    /** A namespace() object: its attributes can be set. */
    record Namespace(Map<String, Object> attributes) {}

    /** A function of positional and named arguments. */
    @FunctionalInterface
    interface Callable {
        Object call(List<Object> positional, Map<String, Object> named);
    }

    private Values() {}

    static boolean truth(Object value) {
        return switch (value) {
            case null -> false;
            case Boolean b -> b;
            case String s -> !s.isEmpty();
            case Long n -> n != 0;
            case Double d -> d != 0;
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case Undefined u -> false;
            default -> true;
        };
    }

    /** What {{ value }} prints. */
    static String text(Object value) {
        return switch (value) {
            case String s -> s;
            case Undefined u -> "";
            case null, default -> repr(value);
        };
    }

    static String repr(Object value) {
        StringBuilder out = new StringBuilder();
        repr(value, out);
        return out.toString();
    }

    private static void repr(Object value, StringBuilder out) {
        switch (value) {
            case null -> out.append("None");
            case Boolean b -> out.append(b ? "True" : "False");
            case String s -> quote(s, out);
            case List<?> list -> {
                out.append('[');
                String separator = "";
                for (Object item : list) {
                    out.append(separator);
                    repr(item, out);
                    separator = ", ";
                }
                out.append(']');
            }
            case Map<?, ?> map -> {
                out.append('{');
                String separator = "";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(separator);
                    repr(entry.getKey(), out);
                    out.append(": ");
                    repr(entry.getValue(), out);
                    separator = ", ";
                }
                out.append('}');
            }
            case Undefined u -> out.append("Undefined");
            default -> out.append(value);
        }
    }

    private static void quote(String s, StringBuilder out) {
        char quote = s.indexOf('\'') >= 0 && s.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        for (char c : s.toCharArray()) {
            switch (c) {
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c == quote) {
                        out.append('\\').append(c);
                    } else if (c < 0x20 || c == 0x7f) {
                        out.append("\\x%02x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append(quote);
    }

    static boolean equal(Object a, Object b) {
        if (a instanceof Undefined || b instanceof Undefined) {
            return a instanceof Undefined && b instanceof Undefined;
        }
        if (number(a) != null && number(b) != null) {
            return number(a).doubleValue() == number(b).doubleValue();
        }
        return Objects.equals(a, b);
    }

    static int compare(Object a, Object b, int line) {
        if (number(a) != null && number(b) != null) {
            return Double.compare(number(a).doubleValue(), number(b).doubleValue());
        }
        if (a instanceof String s && b instanceof String t) {
            return s.compareTo(t);
        }
        throw TemplateException.at(line, "cannot order " + type(a) + " and " + type(b));
    }

    /** Booleans count as 0 and 1, as in Python. */
    static Number number(Object value) {
        return switch (value) {
            case Boolean b -> b ? 1L : 0L;
            case Long n -> n;
            case Double d -> d;
            case null, default -> null;
        };
    }

    static long integer(Object value, int line) {
        if (number(value) instanceof Long n) {
            return n;
        }
        throw TemplateException.at(line, "expected a whole number, found " + type(value));
    }

    static List<?> items(Object value, int line) {
        return switch (value) {
            case List<?> list -> list;
            case Map<?, ?> map -> List.copyOf(map.keySet());
            case String s -> s.codePoints().mapToObj(Character::toString).toList();
            case Undefined u -> List.of();
            case null, default -> throw TemplateException.at(line, type(value) + " cannot be iterated");
        };
    }

    static String type(Object value) {
        return switch (value) {
            case null -> "None";
            case String s -> "text";
            case Boolean b -> "a boolean";
            case Long n -> "a whole number";
            case Double d -> "a number";
            case List<?> l -> "a list";
            case Map<?, ?> m -> "a mapping";
            case Undefined u -> "the undefined name " + u.name();
            default -> "an object";
        };
    }
}
