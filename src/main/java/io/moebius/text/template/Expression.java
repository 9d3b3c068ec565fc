package io.moebius.text.template;

import java.util.List;

/** Expressions of a template. */
sealed interface Expression {

    record Literal(Object value) implements Expression {}

    record Name(String name, int line) implements Expression {}

    record ListOf(List<Expression> items) implements Expression {}

    record DictOf(List<Expression> keys, List<Expression> values) implements Expression {}

    /** x.name */
    record Attribute(Expression of, String name, int line) implements Expression {}

    /** x[key] */
    record Item(Expression of, Expression key, int line) implements Expression {}

    /** x[from:to:step], each may be null. */
    record Slice(Expression of, Expression from, Expression to, Expression step, int line) implements Expression {}

    record Call(Expression function, Arguments arguments, int line) implements Expression {}

    record Filter(Expression value, String name, Arguments arguments, int line) implements Expression {}

    record Test(Expression value, String name, Arguments arguments, boolean negated, int line) implements Expression {}

    record Unary(String operator, Expression operand, int line) implements Expression {}

    record Binary(String operator, Expression left, Expression right, int line) implements Expression {}

    /** then if condition else otherwise; otherwise may be null. */
    record Conditional(Expression condition, Expression then, Expression otherwise) implements Expression {}

    record Arguments(List<Expression> positional, List<String> names, List<Expression> named) {

        static final Arguments NONE = new Arguments(List.of(), List.of(), List.of());
    }
}
