package io.moebius.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Python's operators on values, with the sizes of what they make counted. */
final class Operators {

    private final Budget budget;

    Operators(Budget budget) {
        this.budget = budget;
    }

    Object unary(String operator, Object value, int line) {
        if (operator.equals("not")) {
            return !Values.truth(value);
        }
        Number number = numeric(value, line);
        if (operator.equals("+")) {
            return number;
        }
        return number instanceof Long n ? (Object) (-n) : (Object) (-number.doubleValue());
    }

    Object binary(String operator, Object a, Object b, int line) {
        return switch (operator) {
            case "==" -> Values.equal(a, b);
            case "!=" -> !Values.equal(a, b);
            case "<" -> Values.compare(a, b, line) < 0;
            case "<=" -> Values.compare(a, b, line) <= 0;
            case ">" -> Values.compare(a, b, line) > 0;
            case ">=" -> Values.compare(a, b, line) >= 0;
            case "in" -> contains(b, a, line);
            case "~" -> join(Values.text(a), Values.text(b), line);
            case "+" -> plus(a, b, line);
            case "*" -> times(a, b, line);
            default -> arithmetic(operator, a, b, line);
        };
    }

    private Object plus(Object a, Object b, int line) {
        if (a instanceof String s && b instanceof String t) {
            return join(s, t, line);
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            budget.characters(x.size() + (long) y.size(), line);
            List<Object> joined = new ArrayList<>(x);
            joined.addAll(y);
            return joined;
        }
        return arithmetic("+", a, b, line);
    }

    private Object times(Object a, Object b, int line) {
        if (a instanceof String s && b instanceof Long n) {
            budget.characters(Math.max(0, Math.multiplyHigh(s.length(), n) != 0 ? Long.MAX_VALUE / 2 : s.length() * n), line);
            return s.repeat((int) Math.max(0, n));
        }
        return arithmetic("*", a, b, line);
    }

    private String join(String a, String b, int line) {
        budget.characters(a.length() + (long) b.length(), line);
        return a + b;
    }

    private static Object arithmetic(String operator, Object a, Object b, int line) {
        Number x = numeric(a, line);
        Number y = numeric(b, line);
        try {
            if (x instanceof Long n && y instanceof Long m && !operator.equals("/")) {
                return switch (operator) {
                    case "+" -> Math.addExact(n, m);
                    case "-" -> Math.subtractExact(n, m);
                    case "*" -> Math.multiplyExact(n, m);
                    case "//" -> Math.floorDiv(n, m);
                    case "%" -> Math.floorMod(n, m);
                    default -> power(n, m, line);
                };
            }
        } catch (ArithmeticException e) {
            throw TemplateException.at(line, "the result of " + operator + " is out of range");
        }
        double p = x.doubleValue();
        double q = y.doubleValue();
        return switch (operator) {
            case "+" -> p + q;
            case "-" -> p - q;
            case "*" -> p * q;
            case "/" -> p / q;
            case "//" -> Math.floor(p / q);
            case "%" -> p - q * Math.floor(p / q);
            default -> Math.pow(p, q);
        };
    }

    private static Object power(long base, long exponent, int line) {
        double result = Math.pow(base, exponent);
        if (exponent < 0) {
            return result;
        }
        if (Math.abs(result) > 1L << 53) {
            throw TemplateException.at(line, "the result of ** is out of range");
        }
        return (long) result;
    }

    private static Number numeric(Object value, int line) {
        Number number = Values.number(value);
        if (number == null) {
            throw TemplateException.at(line, "expected a number, found " + Values.type(value));
        }
        return number;
    }

    static boolean contains(Object container, Object item, int line) {
        return switch (container) {
            case String s -> item instanceof String t && s.contains(t);
            case Map<?, ?> map -> map.containsKey(item);
            case Values.Undefined u -> false;
            case null, default -> Values.items(container, line).stream().anyMatch(x -> Values.equal(x, item));
        };
    }
}
