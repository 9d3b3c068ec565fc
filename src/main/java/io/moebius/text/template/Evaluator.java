package io.moebius.text.template;

import io.moebius.text.template.Expression.Arguments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Supplier;

/** Values of expressions. */
final class Evaluator {

    private final Budget budget;
    private final Operators operators;
    private final Filters filters;

    Evaluator(Budget budget) {
        this.budget = budget;
        this.operators = new Operators(budget);
        this.filters = new Filters(budget);
    }

    Object evaluate(Expression expression, Scope scope) {
        return switch (expression) {
            case Expression.Literal(Object value) -> value;
            case Expression.Name(String name, int line) -> step(scope.get(name), line);
            case Expression.ListOf(List<Expression> items) -> all(items, scope);
            case Expression.DictOf dict -> mapping(dict, scope);
            case Expression.Attribute(Expression of, String name, int line) ->
                attribute(evaluate(of, scope), name, step(line));
            case Expression.Item(Expression of, Expression key, int line) ->
                item(evaluate(of, scope), evaluate(key, scope), step(line));
            case Expression.Slice slice -> slice(slice, scope);
            case Expression.Call(Expression function, Arguments arguments, int line) ->
                call(evaluate(function, scope), arguments, scope, step(line));
            case Expression.Filter(Expression value, String name, Arguments arguments, int line) ->
                filter(name, evaluate(value, scope), arguments, scope, step(line));
            case Expression.Test(Expression value, String name, Arguments arguments, boolean negated, int line) ->
                Tests.holds(name, evaluate(value, scope), all(arguments.positional(), scope), step(line)) != negated;
            case Expression.Unary(String operator, Expression operand, int line) ->
                operators.unary(operator, evaluate(operand, scope), line);
            case Expression.Binary(String operator, Expression left, Expression right, int line) ->
                binary(operator, left, right, scope, step(line));
            case Expression.Conditional(Expression condition, Expression then, Expression otherwise) -> {
                if (Values.truth(evaluate(condition, scope))) {
                    yield evaluate(then, scope);
                }
                yield otherwise == null ? new Values.Undefined("else") : evaluate(otherwise, scope);
            }
        };
    }

    private Object binary(String operator, Expression left, Expression right, Scope scope, int line) {
        Object a = evaluate(left, scope);
        if (operator.equals("and")) {
            return Values.truth(a) ? evaluate(right, scope) : a;
        }
        if (operator.equals("or")) {
            return Values.truth(a) ? a : evaluate(right, scope);
        }
        return operators.binary(operator, a, evaluate(right, scope), line);
    }

    Object filter(String name, Object value, Arguments arguments, Scope scope, int line) {
        List<Object> positional = all(arguments.positional(), scope);
        Map<String, Object> named = named(arguments, scope);
        if (name.equals("map") || name.endsWith("select") || name.endsWith("reject")
                || name.equals("selectattr") || name.equals("rejectattr")) {
            return each(name, Values.items(value, line), positional, named, line);
        }
        return guarded(() -> filters.apply(name, value, positional, named, line), "the filter " + name, line);
    }

    /** map, select, reject, selectattr and rejectattr. */
    private Object each(String name, List<?> items, List<Object> positional, Map<String, Object> named, int line) {
        List<Object> out = new ArrayList<>();
        for (Object item : items) {
            budget.step(line);
            if (name.equals("map")) {
                Object attribute = named.get("attribute");
                out.add(attribute != null
                        ? attribute(item, (String) attribute, line)
                        : guarded(
                                () -> filters.apply((String) positional.getFirst(), item,
                                        positional.subList(1, positional.size()), named, line),
                                "map", line));
                continue;
            }
            int skipped = name.endsWith("attr") ? 1 : 0;
            Object subject = skipped == 1 ? attribute(item, (String) positional.getFirst(), line) : item;
            boolean holds = positional.size() > skipped
                    ? Tests.holds((String) positional.get(skipped), subject,
                            positional.subList(skipped + 1, positional.size()), line)
                    : Values.truth(subject);
            if (holds == name.startsWith("select")) {
                out.add(item);
            }
        }
        return out;
    }

    private Object call(Object function, Arguments arguments, Scope scope, int line) {
        if (!(function instanceof Values.Callable callable)) {
            throw TemplateException.at(line, Values.type(function) + " cannot be called");
        }
        List<Object> positional = all(arguments.positional(), scope);
        Map<String, Object> named = named(arguments, scope);
        return guarded(() -> callable.call(positional, named), "a call", line);
    }

    /** What a wrong argument breaks becomes the template's error. */
    private static Object guarded(Supplier<Object> body, String what, int line) {
        try {
            return body.get();
        } catch (ClassCastException | IndexOutOfBoundsException | NoSuchElementException
                | NullPointerException | NumberFormatException | UnsupportedOperationException e) {
            throw TemplateException.at(line, what + " got an argument that it cannot take");
        }
    }

    private Map<String, Object> named(Arguments arguments, Scope scope) {
        Map<String, Object> named = new LinkedHashMap<>();
        for (int i = 0; i < arguments.names().size(); i++) {
            named.put(arguments.names().get(i), evaluate(arguments.named().get(i), scope));
        }
        return named;
    }

    private List<Object> all(List<Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>();
        expressions.forEach(expression -> values.add(evaluate(expression, scope)));
        return values;
    }

    private Map<Object, Object> mapping(Expression.DictOf dict, Scope scope) {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < dict.keys().size(); i++) {
            map.put(evaluate(dict.keys().get(i), scope), evaluate(dict.values().get(i), scope));
        }
        return map;
    }

    /** x.name: a method first, then the key of that name, as in jinja2. */
    private Object attribute(Object of, String name, int line) {
        if (of instanceof Values.Undefined undefined) {
            throw TemplateException.at(line, "'" + undefined.name() + "' is undefined");
        }
        if (of instanceof Values.Namespace(Map<String, Object> attributes)) {
            return attributes.containsKey(name) ? attributes.get(name) : new Values.Undefined(name);
        }
        Values.Callable method = Methods.find(of, name, budget, line);
        if (method != null) {
            return method;
        }
        return of instanceof Map<?, ?> map && map.containsKey(name) ? map.get(name) : new Values.Undefined(name);
    }

    private Object item(Object of, Object key, int line) {
        if (of instanceof Map<?, ?> map) {
            return map.containsKey(key) ? map.get(key) : new Values.Undefined(Values.text(key));
        }
        if (key instanceof String name) {
            return attribute(of, name, line);
        }
        if (of instanceof Values.Undefined undefined) {
            throw TemplateException.at(line, "'" + undefined.name() + "' is undefined");
        }
        List<?> items = Values.items(of, line);
        long index = Values.integer(key, line);
        long at = index < 0 ? index + items.size() : index;
        return at >= 0 && at < items.size() ? items.get((int) at) : new Values.Undefined("item " + index);
    }

    private Object slice(Expression.Slice slice, Scope scope) {
        Object of = evaluate(slice.of(), scope);
        List<?> items = Values.items(of, slice.line());
        long step = bound(slice.step(), 1, scope, slice.line());
        if (step == 0) {
            throw TemplateException.at(slice.line(), "a slice's step is 0");
        }
        int size = items.size();
        long from = position(bound(slice.from(), step > 0 ? 0 : Long.MAX_VALUE, scope, slice.line()), size, step);
        long to = slice.to() == null
                ? step > 0 ? size : -1
                : position(bound(slice.to(), 0, scope, slice.line()), size, step);
        List<Object> out = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            budget.step(slice.line());
            out.add(items.get((int) i));
        }
        if (of instanceof String) {
            StringBuilder text = new StringBuilder();
            out.forEach(text::append);
            return text.toString();
        }
        return out;
    }

    private long bound(Expression expression, long absent, Scope scope, int line) {
        Object value = expression == null ? null : evaluate(expression, scope);
        return value == null ? absent : Values.integer(value, line);
    }

    private static long position(long index, int size, long step) {
        long at = index < 0 ? index + size : index;
        return step > 0 ? Math.clamp(at, 0, size) : Math.clamp(at, -1, size - 1);
    }

    private int step(int line) {
        budget.step(line);
        return line;
    }

    private Object step(Object value, int line) {
        budget.step(line);
        return value;
    }
}
