package io.moebius.text.template;

import java.util.List;
import java.util.Map;

/** The tests behind "is", select and reject. */
final class Tests {

    private Tests() {}

    static boolean holds(String name, Object value, List<Object> arguments, int line) {
        return switch (name) {
            case "defined" -> !(value instanceof Values.Undefined);
            case "undefined" -> value instanceof Values.Undefined;
            case "none" -> value == null;
            case "string" -> value instanceof String;
            case "mapping" -> value instanceof Map;
            case "iterable" -> value instanceof List || value instanceof Map || value instanceof String;
            case "sequence" -> value instanceof List || value instanceof Map || value instanceof String;
            case "number" -> Values.number(value) != null;
            case "integer" -> value instanceof Long;
            case "float" -> value instanceof Double;
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "callable" -> value instanceof Values.Callable;
            case "odd" -> Math.floorMod(Values.integer(value, line), 2) == 1;
            case "even" -> Math.floorMod(Values.integer(value, line), 2) == 0;
            case "divisibleby" -> Values.integer(value, line) % argument(name, arguments, line, Long.class) == 0;
            case "eq", "equalto", "==" -> Values.equal(value, argument(name, arguments, line, Object.class));
            case "ne", "!=" -> !Values.equal(value, argument(name, arguments, line, Object.class));
            case "gt", ">" -> Values.compare(value, argument(name, arguments, line, Object.class), line) > 0;
            case "ge", ">=" -> Values.compare(value, argument(name, arguments, line, Object.class), line) >= 0;
            case "lt", "<" -> Values.compare(value, argument(name, arguments, line, Object.class), line) < 0;
            case "le", "<=" -> Values.compare(value, argument(name, arguments, line, Object.class), line) <= 0;
            case "in" -> Operators.contains(argument(name, arguments, line, Object.class), value, line);
            default -> throw TemplateException.at(line, "the test " + name + " is not supported");
        };
    }

    private static <T> T argument(String name, List<Object> arguments, int line, Class<T> type) {
        if (arguments.isEmpty() || arguments.getFirst() != null && !type.isInstance(arguments.getFirst())
                || type == Long.class && Long.valueOf(0).equals(arguments.getFirst())) {
            throw TemplateException.at(line, "the test " + name + " needs an argument that it can take");
        }
        return type.cast(arguments.getFirst());
    }
}
