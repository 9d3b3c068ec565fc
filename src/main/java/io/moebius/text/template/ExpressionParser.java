package io.moebius.text.template;

import io.moebius.text.template.Expression.Arguments;
import io.moebius.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Recursive descent over the tokens inside tags, in jinja2's order of precedence. */
final class ExpressionParser {

    private static final int MAX_DEPTH = 100;
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final List<Token> tokens;
    private int at;
    private int depth;

    ExpressionParser(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token next() {
        Token token = tokens.get(at);
        if (token.kind() != Kind.END) {
            at++;
        }
        return token;
    }

    boolean accept(Kind kind, String text) {
        if (peek().is(kind, text)) {
            at++;
            return true;
        }
        return false;
    }

    Token expect(Kind kind, String what) {
        Token token = next();
        if (token.kind() != kind) {
            throw unexpected(token, what);
        }
        return token;
    }

    void expect(Kind kind, String text, String what) {
        Token token = next();
        if (!token.is(kind, text)) {
            throw unexpected(token, what);
        }
    }

    static TemplateException unexpected(Token token, String what) {
        String found = token.text().isEmpty() ? token.kind().name().toLowerCase().replace('_', ' ') : token.text();
        return TemplateException.at(token.line(), "found '" + found + "', expected " + what);
    }

    /** An expression, or several separated by commas as a list. */
    Expression tuple() {
        Expression first = expression();
        if (!peek().is(Kind.OPERATOR, ",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (accept(Kind.OPERATOR, ",")) {
            items.add(expression());
        }
        return new Expression.ListOf(items);
    }

    Expression expression() {
        if (++depth > MAX_DEPTH) {
            throw TemplateException.at(peek().line(), "expressions are nested more than " + MAX_DEPTH + " deep");
        }
        try {
            Expression value = or();
            while (accept(Kind.NAME, "if")) {
                Expression condition = or();
                value = new Expression.Conditional(condition, value, accept(Kind.NAME, "else") ? expression() : null);
            }
            return value;
        } finally {
            depth--;
        }
    }

    /** What stands before an "if" that is not this expression's own: the items of a for. */
    Expression withoutCondition() {
        return or();
    }

    private Expression or() {
        Expression left = and();
        while (peek().is(Kind.NAME, "or")) {
            left = new Expression.Binary("or", left, after().and(), line());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (peek().is(Kind.NAME, "and")) {
            left = new Expression.Binary("and", left, after().not(), line());
        }
        return left;
    }

    private Expression not() {
        if (accept(Kind.NAME, "not")) {
            return new Expression.Unary("not", nested(this::not), line());
        }
        return comparison();
    }

    private Expression comparison() {
        Expression left = sum();
        while (true) {
            Token token = peek();
            if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                left = new Expression.Binary(token.text(), left, after().sum(), token.line());
            } else if (token.is(Kind.NAME, "in")) {
                left = new Expression.Binary("in", left, after().sum(), token.line());
            } else if (token.is(Kind.NAME, "not") && tokens.get(at + 1).is(Kind.NAME, "in")) {
                at += 2;
                left = new Expression.Unary(
                        "not", new Expression.Binary("in", left, sum(), token.line()), token.line());
            } else {
                return left;
            }
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (peek().is(Kind.OPERATOR, "+") || peek().is(Kind.OPERATOR, "-")) {
            Token token = next();
            left = new Expression.Binary(token.text(), left, concatenation(), token.line());
        }
        return left;
    }

    private Expression concatenation() {
        Expression left = product();
        while (peek().is(Kind.OPERATOR, "~")) {
            left = new Expression.Binary("~", left, after().product(), line());
        }
        return left;
    }

    private Expression product() {
        Expression left = unary();
        while (peek().kind() == Kind.OPERATOR && Set.of("*", "/", "//", "%").contains(peek().text())) {
            Token token = next();
            left = new Expression.Binary(token.text(), left, unary(), token.line());
        }
        return left;
    }

    private Expression unary() {
        if (peek().is(Kind.OPERATOR, "-") || peek().is(Kind.OPERATOR, "+")) {
            Token token = next();
            return new Expression.Unary(token.text(), nested(this::unary), token.line());
        }
        Expression value = postfix(primary());
        if (accept(Kind.OPERATOR, "**")) {
            value = new Expression.Binary("**", value, nested(this::unary), line());
        }
        return filters(value);
    }

    private Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            int line = line();
            if (accept(Kind.OPERATOR, ".")) {
                Token name = next();
                if (name.kind() == Kind.INTEGER) {
                    value = new Expression.Item(value, new Expression.Literal(Long.parseLong(name.text())), line);
                } else if (name.kind() == Kind.NAME) {
                    value = new Expression.Attribute(value, name.text(), line);
                } else {
                    throw unexpected(name, "a name after the dot");
                }
            } else if (accept(Kind.OPERATOR, "[")) {
                value = subscript(value, line);
            } else if (accept(Kind.OPERATOR, "(")) {
                value = new Expression.Call(value, arguments(), line);
            } else {
                return value;
            }
        }
    }

    private Expression filters(Expression start) {
        Expression value = start;
        while (true) {
            int line = line();
            if (accept(Kind.OPERATOR, "|")) {
                String name = expect(Kind.NAME, "a filter's name").text();
                value = new Expression.Filter(value, name, accept(Kind.OPERATOR, "(") ? arguments() : Arguments.NONE, line);
            } else if (accept(Kind.NAME, "is")) {
                value = test(value, line);
            } else {
                return value;
            }
            value = postfix(value);
        }
    }

    private Expression test(Expression value, int line) {
        boolean negated = accept(Kind.NAME, "not");
        String name = next().text();
        Arguments arguments = Arguments.NONE;
        Token token = peek();
        if (accept(Kind.OPERATOR, "(")) {
            arguments = arguments();
        } else if (token.kind() == Kind.STRING || token.kind() == Kind.INTEGER
                || token.kind() == Kind.NAME && !Set.of("and", "or", "else", "if", "is", "in", "not").contains(token.text())) {
            arguments = new Arguments(List.of(postfix(primary())), List.of(), List.of());
        }
        return new Expression.Test(value, name, arguments, negated, line);
    }

    private Expression subscript(Expression of, int line) {
        Expression from = peek().is(Kind.OPERATOR, ":") ? null : expression();
        if (accept(Kind.OPERATOR, "]")) {
            return new Expression.Item(of, from, line);
        }
        expect(Kind.OPERATOR, ":", "']' or ':'");
        Expression to = peek().is(Kind.OPERATOR, ":") || peek().is(Kind.OPERATOR, "]") ? null : expression();
        Expression step = accept(Kind.OPERATOR, ":") && !peek().is(Kind.OPERATOR, "]") ? expression() : null;
        expect(Kind.OPERATOR, "]", "']'");
        return new Expression.Slice(of, from, to, step, line);
    }

    Arguments arguments() {
        List<Expression> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Expression> named = new ArrayList<>();
        while (!accept(Kind.OPERATOR, ")")) {
            if (peek().kind() == Kind.NAME && tokens.get(at + 1).is(Kind.OPERATOR, "=")) {
                names.add(next().text());
                next();
                named.add(expression());
            } else {
                positional.add(expression());
            }
            if (!accept(Kind.OPERATOR, ",") && !peek().is(Kind.OPERATOR, ")")) {
                throw unexpected(peek(), "',' or ')'");
            }
        }
        return new Arguments(positional, names, named);
    }

    private Expression primary() {
        Token token = next();
        return switch (token.kind()) {
            case STRING -> string(token);
            case INTEGER -> new Expression.Literal(Long.parseLong(token.text()));
            case FLOAT -> new Expression.Literal(Double.parseDouble(token.text()));
            case NAME -> switch (token.text()) {
                case "true", "True" -> new Expression.Literal(true);
                case "false", "False" -> new Expression.Literal(false);
                case "none", "None" -> new Expression.Literal(null);
                default -> new Expression.Name(token.text(), token.line());
            };
            case OPERATOR -> switch (token.text()) {
                case "(" -> parenthesis();
                case "[" -> new Expression.ListOf(items("]"));
                case "{" -> dict();
                default -> throw unexpected(token, "a value");
            };
            default -> throw unexpected(token, "a value");
        };
    }

    private Expression string(Token first) {
        StringBuilder text = new StringBuilder(first.text());
        while (peek().kind() == Kind.STRING) {
            text.append(next().text());
        }
        return new Expression.Literal(text.toString());
    }

    private Expression parenthesis() {
        if (accept(Kind.OPERATOR, ")")) {
            return new Expression.ListOf(List.of());
        }
        Expression first = expression();
        if (accept(Kind.OPERATOR, ")")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        expect(Kind.OPERATOR, ",", "',' or ')'");
        items.addAll(items(")"));
        return new Expression.ListOf(items);
    }

    private List<Expression> items(String end) {
        List<Expression> items = new ArrayList<>();
        while (!accept(Kind.OPERATOR, end)) {
            items.add(expression());
            if (!accept(Kind.OPERATOR, ",") && !peek().is(Kind.OPERATOR, end)) {
                throw unexpected(peek(), "',' or '" + end + "'");
            }
        }
        return items;
    }

    private Expression dict() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!accept(Kind.OPERATOR, "}")) {
            keys.add(expression());
            expect(Kind.OPERATOR, ":", "':'");
            values.add(expression());
            if (!accept(Kind.OPERATOR, ",") && !peek().is(Kind.OPERATOR, "}")) {
                throw unexpected(peek(), "',' or '}'");
            }
        }
        return new Expression.DictOf(keys, values);
    }

    private Expression nested(java.util.function.Supplier<Expression> rule) {
        if (++depth > MAX_DEPTH) {
            throw TemplateException.at(peek().line(), "expressions are nested more than " + MAX_DEPTH + " deep");
        }
        try {
            return rule.get();
        } finally {
            depth--;
        }
    }

    private ExpressionParser after() {
        at++;
        return this;
    }

    private int line() {
        return peek().line();
    }
}
