package io.moebius.text.template;

import java.util.List;

/** Statements of a template. */
sealed interface Node {

    record Text(String text) implements Node {}

    record Output(Expression value) implements Node {}

    record If(List<Expression> conditions, List<List<Node>> branches) implements Node {}

    /** @param filter of "for x in y if filter", or null */
    record For(
            List<String> targets, Expression items, Expression filter, List<Node> body, List<Node> otherwise, int line)
            implements Node {}

    /** One target is a name or namespace.attribute; several unpack a list. */
    record Assign(List<Expression> targets, Expression value, int line) implements Node {}

    /** {% set name %}...{% endset %} */
    record AssignBlock(Expression target, List<Node> body, int line) implements Node {}

    record Macro(String name, List<String> parameters, List<Expression> defaults, List<Node> body) implements Node {}

    record FilterBlock(String name, Expression.Arguments arguments, List<Node> body, int line) implements Node {}

    record Break() implements Node {}

    record Continue() implements Node {}
}
