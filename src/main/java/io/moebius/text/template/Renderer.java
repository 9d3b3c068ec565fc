package io.moebius.text.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Walks the statements once, for one rendering. */
final class Renderer {

    private enum Flow {
        ON,
        BREAK,
        CONTINUE
    }

    private final Budget budget = new Budget();
    private final Evaluator evaluator = new Evaluator(budget);
    private StringBuilder out = new StringBuilder();

    String render(List<Node> nodes, Map<String, Object> context) {
        Scope globals = new Scope(null);
        globals.set("raise_exception", (Values.Callable) (p, n) -> {
            throw new TemplateException(p.isEmpty() ? "the chat template refuses these messages" : Values.text(p.getFirst()));
        });
        globals.set("namespace", (Values.Callable) (p, n) -> new Values.Namespace(new LinkedHashMap<>(n)));
        globals.set("dict", (Values.Callable) (p, n) -> new LinkedHashMap<Object, Object>(n));
        globals.set("range", (Values.Callable) (p, n) -> range(p));
        context.forEach(globals::set);
        run(nodes, new Scope(globals));
        return out.toString();
    }

    private List<Object> range(List<Object> p) {
        long from = p.size() > 1 ? Values.integer(p.get(0), 0) : 0;
        long to = Values.integer(p.get(p.size() > 1 ? 1 : 0), 0);
        long step = p.size() > 2 ? Values.integer(p.get(2), 0) : 1;
        List<Object> numbers = new ArrayList<>();
        for (long i = from; step != 0 && (step > 0 ? i < to : i > to); i += step) {
            budget.step(0);
            numbers.add(i);
        }
        return numbers;
    }

    private Flow run(List<Node> nodes, Scope scope) {
        for (Node node : nodes) {
            Flow flow = run(node, scope);
            if (flow != Flow.ON) {
                return flow;
            }
        }
        return Flow.ON;
    }

    private Flow run(Node node, Scope scope) {
        switch (node) {
            case Node.Text(String text) -> print(text);
            case Node.Output(Expression value) -> print(Values.text(evaluator.evaluate(value, scope)));
            case Node.If(List<Expression> conditions, List<List<Node>> branches) -> {
                for (int i = 0; i < conditions.size(); i++) {
                    if (Values.truth(evaluator.evaluate(conditions.get(i), scope))) {
                        return run(branches.get(i), scope);
                    }
                }
            }
            case Node.For loop -> loop(loop, scope);
            case Node.Assign(List<Expression> targets, Expression value, int line) ->
                assign(targets, evaluator.evaluate(value, scope), scope, line);
            case Node.AssignBlock(Expression target, List<Node> body, int line) ->
                assign(List.of(target), capture(body, new Scope(scope)), scope, line);
            case Node.Macro macro -> scope.set(macro.name(), (Values.Callable) (p, n) -> call(macro, p, n, scope));
            case Node.FilterBlock(String name, Expression.Arguments arguments, List<Node> body, int line) ->
                print(Values.text(evaluator.filter(name, capture(body, new Scope(scope)), arguments, scope, line)));
            case Node.Break() -> {
                return Flow.BREAK;
            }
            case Node.Continue() -> {
                return Flow.CONTINUE;
            }
        }
        return Flow.ON;
    }

    private void print(String text) {
        budget.characters(text.length(), 0);
        out.append(text);
    }

    private String capture(List<Node> body, Scope scope) {
        StringBuilder outer = out;
        out = new StringBuilder();
        try {
            run(body, scope);
            return out.toString();
        } finally {
            out = outer;
        }
    }

    private Object call(Node.Macro macro, List<Object> positional, Map<String, Object> named, Scope scope) {
        budget.enter(0);
        Scope inner = new Scope(scope);
        for (int i = 0; i < macro.parameters().size(); i++) {
            String name = macro.parameters().get(i);
            if (i < positional.size()) {
                inner.set(name, positional.get(i));
            } else if (named.containsKey(name)) {
                inner.set(name, named.get(name));
            } else {
                Expression otherwise = macro.defaults().get(i);
                inner.set(name, otherwise == null ? new Values.Undefined(name) : evaluator.evaluate(otherwise, inner));
            }
        }
        String text = capture(macro.body(), inner);
        budget.leave();
        return text;
    }

    private void loop(Node.For loop, Scope scope) {
        List<Object> items = new ArrayList<>();
        for (Object item : Values.items(evaluator.evaluate(loop.items(), scope), loop.line())) {
            budget.step(loop.line());
            if (loop.filter() != null) {
                Scope inner = new Scope(scope);
                bind(loop, item, inner);
                if (!Values.truth(evaluator.evaluate(loop.filter(), inner))) {
                    continue;
                }
            }
            items.add(item);
        }
        for (int i = 0; i < items.size(); i++) {
            budget.step(loop.line());
            Scope inner = new Scope(scope);
            bind(loop, items.get(i), inner);
            inner.set("loop", position(items, i));
            if (run(loop.body(), inner) == Flow.BREAK) {
                return;
            }
        }
        if (items.isEmpty()) {
            run(loop.otherwise(), new Scope(scope));
        }
    }

    private static void bind(Node.For loop, Object item, Scope scope) {
        if (loop.targets().size() == 1) {
            scope.set(loop.targets().getFirst(), item);
            return;
        }
        List<?> parts = Values.items(item, loop.line());
        if (parts.size() != loop.targets().size()) {
            throw TemplateException.at(loop.line(), "cannot unpack " + parts.size() + " values into " + loop.targets().size() + " names");
        }
        for (int i = 0; i < parts.size(); i++) {
            scope.set(loop.targets().get(i), parts.get(i));
        }
    }

    private static Map<String, Object> position(List<Object> items, int i) {
        int count = items.size();
        Map<String, Object> loop = new LinkedHashMap<>();
        loop.put("index", i + 1L);
        loop.put("index0", (long) i);
        loop.put("revindex", (long) count - i);
        loop.put("revindex0", count - i - 1L);
        loop.put("first", i == 0);
        loop.put("last", i == count - 1);
        loop.put("length", (long) count);
        if (i > 0) {
            loop.put("previtem", items.get(i - 1));
        }
        if (i + 1 < count) {
            loop.put("nextitem", items.get(i + 1));
        }
        return loop;
    }

    private void assign(List<Expression> targets, Object value, Scope scope, int line) {
        List<?> parts = targets.size() == 1 ? List.of() : Values.items(value, line);
        if (targets.size() > 1 && parts.size() != targets.size()) {
            throw TemplateException.at(line, "cannot unpack " + parts.size() + " values into " + targets.size() + " names");
        }
        for (int i = 0; i < targets.size(); i++) {
            Object part = targets.size() == 1 ? value : parts.get(i);
            switch (targets.get(i)) {
                case Expression.Name(String name, int at) -> scope.set(name, part);
                case Expression.Attribute(Expression of, String name, int at)
                        when evaluator.evaluate(of, scope) instanceof Values.Namespace(Map<String, Object> attributes) ->
                    attributes.put(name, part);
                default -> throw TemplateException.at(line, "only names and the attributes of a namespace can be set");
            }
        }
    }
}
