package io.moebius.text.template;

import io.moebius.text.template.Expression.Arguments;
import io.moebius.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** Recursive descent over the tokens inside tags, in jinja2's order of precedence. */
final class ExpressionParser {

    private static final int MAX_DEPTH = 100;
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenReader tokens;
    private int depth;

    ExpressionParser(TokenReader tokens) {
        this.tokens = tokens;
    }

    /** An expression, or several separated by commas as a list. */
    Expression tuple() {
        Expression first = expression();
        if (!tokens.isNext(Kind.OPERATOR, ",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (tokens.accept(Kind.OPERATOR, ",")) {
            items.add(expression());
        }
        return new Expression.ListOf(items);
    }

    Expression expression() {
        return nested(this::conditional);
    }

    private Expression conditional() {
        Expression value = or();
        while (tokens.accept(Kind.NAME, "if")) {
            Expression condition = or();
            value = new Expression.Conditional(condition, value, tokens.accept(Kind.NAME, "else") ? expression() : null);
        }
        return value;
    }

    /** What stands before an "if" that is not this expression's own: the items of a for. */
    Expression withoutCondition() {
        return or();
    }

    private Expression or() {
        Expression left = and();
        while (tokens.isNext(Kind.NAME, "or")) {
            left = new Expression.Binary("or", left, after().and(), tokens.line());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.isNext(Kind.NAME, "and")) {
            left = new Expression.Binary("and", left, after().not(), tokens.line());
        }
        return left;
    }

    private Expression not() {
        if (tokens.accept(Kind.NAME, "not")) {
            return new Expression.Unary("not", nested(this::not), tokens.line());
        }
        return comparison();
    }

    private Expression comparison() {
        Expression left = sum();
        while (true) {
            Token token = tokens.peek();
            if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                left = new Expression.Binary(token.text(), left, after().sum(), token.line());
            } else if (token.is(Kind.NAME, "in")) {
                left = new Expression.Binary("in", left, after().sum(), token.line());
            } else if (token.is(Kind.NAME, "not") && tokens.isSecond(Kind.NAME, "in")) {
                tokens.next();
                tokens.next();
                left = new Expression.Unary(
                        "not", new Expression.Binary("in", left, sum(), token.line()), token.line());
            } else {
                return left;
            }
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.isNext(Kind.OPERATOR, "+") || tokens.isNext(Kind.OPERATOR, "-")) {
            Token token = tokens.next();
            left = new Expression.Binary(token.text(), left, concatenation(), token.line());
        }
        return left;
    }

    private Expression concatenation() {
        Expression left = product();
        while (tokens.isNext(Kind.OPERATOR, "~")) {
            left = new Expression.Binary("~", left, after().product(), tokens.line());
        }
        return left;
    }

    private Expression product() {
        Expression left = unary();
        while (tokens.peek().kind() == Kind.OPERATOR && Set.of("*", "/", "//", "%").contains(tokens.peek().text())) {
            Token token = tokens.next();
            left = new Expression.Binary(token.text(), left, unary(), token.line());
        }
        return left;
    }

    private Expression unary() {
        if (tokens.isNext(Kind.OPERATOR, "-") || tokens.isNext(Kind.OPERATOR, "+")) {
            Token token = tokens.next();
            return new Expression.Unary(token.text(), nested(this::unary), token.line());
        }
        Expression value = postfix(primary());
        if (tokens.accept(Kind.OPERATOR, "**")) {
            value = new Expression.Binary("**", value, nested(this::unary), tokens.line());
        }
        return filters(value);
    }

    private Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            int line = tokens.line();
            if (tokens.accept(Kind.OPERATOR, ".")) {
                Token name = tokens.next();
                if (name.kind() == Kind.INTEGER) {
                    value = new Expression.Item(value, new Expression.Literal(Long.parseLong(name.text())), line);
                } else if (name.kind() == Kind.NAME) {
                    value = new Expression.Attribute(value, name.text(), line);
                } else {
                    throw TokenReader.unexpected(name, "a name after the dot");
                }
            } else if (tokens.accept(Kind.OPERATOR, "[")) {
                value = subscript(value, line);
            } else if (tokens.accept(Kind.OPERATOR, "(")) {
                value = new Expression.Call(value, arguments(), line);
            } else {
                return value;
            }
        }
    }

    private Expression filters(Expression start) {
        Expression value = start;
        while (true) {
            int line = tokens.line();
            if (tokens.accept(Kind.OPERATOR, "|")) {
                String name = tokens.expect(Kind.NAME, "a filter's name").text();
                value = new Expression.Filter(value, name, tokens.accept(Kind.OPERATOR, "(") ? arguments() : Arguments.NONE, line);
            } else if (tokens.accept(Kind.NAME, "is")) {
                value = test(value, line);
            } else {
                return value;
            }
            value = postfix(value);
        }
    }

    private Expression test(Expression value, int line) {
        boolean negated = tokens.accept(Kind.NAME, "not");
        String name = tokens.next().text();
        Arguments arguments = Arguments.NONE;
        Token token = tokens.peek();
        if (tokens.accept(Kind.OPERATOR, "(")) {
            arguments = arguments();
        } else if (token.kind() == Kind.STRING || token.kind() == Kind.INTEGER
                || token.kind() == Kind.NAME && !Set.of("and", "or", "else", "if", "is", "in", "not").contains(token.text())) {
            arguments = new Arguments(List.of(postfix(primary())), List.of(), List.of());
        }
        return new Expression.Test(value, name, arguments, negated, line);
    }

    private Expression subscript(Expression of, int line) {
        Expression from = tokens.isNext(Kind.OPERATOR, ":") ? null : expression();
        if (tokens.accept(Kind.OPERATOR, "]")) {
            return new Expression.Item(of, from, line);
        }
        tokens.expect(Kind.OPERATOR, ":", "']' or ':'");
        Expression to = tokens.isNext(Kind.OPERATOR, ":") || tokens.isNext(Kind.OPERATOR, "]") ? null : expression();
        Expression step = tokens.accept(Kind.OPERATOR, ":") && !tokens.isNext(Kind.OPERATOR, "]") ? expression() : null;
        tokens.expect(Kind.OPERATOR, "]", "']'");
        return new Expression.Slice(of, from, to, step, line);
    }

    Arguments arguments() {
        List<Expression> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Expression> named = new ArrayList<>();
        while (!tokens.accept(Kind.OPERATOR, ")")) {
            if (tokens.peek().kind() == Kind.NAME && tokens.isSecond(Kind.OPERATOR, "=")) {
                names.add(tokens.next().text());
                tokens.next();
                named.add(expression());
            } else {
                positional.add(expression());
            }
            if (!tokens.accept(Kind.OPERATOR, ",") && !tokens.isNext(Kind.OPERATOR, ")")) {
                throw TokenReader.unexpected(tokens.peek(), "',' or ')'");
            }
        }
        return new Arguments(positional, names, named);
    }

    private Expression primary() {
        Token token = tokens.next();
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
                default -> throw TokenReader.unexpected(token, "a value");
            };
            default -> throw TokenReader.unexpected(token, "a value");
        };
    }

    private Expression string(Token first) {
        StringBuilder text = new StringBuilder(first.text());
        while (tokens.peek().kind() == Kind.STRING) {
            text.append(tokens.next().text());
        }
        return new Expression.Literal(text.toString());
    }

    private Expression parenthesis() {
        if (tokens.accept(Kind.OPERATOR, ")")) {
            return new Expression.ListOf(List.of());
        }
        Expression first = expression();
        if (tokens.accept(Kind.OPERATOR, ")")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        tokens.expect(Kind.OPERATOR, ",", "',' or ')'");
        items.addAll(items(")"));
        return new Expression.ListOf(items);
    }

    private List<Expression> items(String end) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.accept(Kind.OPERATOR, end)) {
            items.add(expression());
            if (!tokens.accept(Kind.OPERATOR, ",") && !tokens.isNext(Kind.OPERATOR, end)) {
                throw TokenReader.unexpected(tokens.peek(), "',' or '" + end + "'");
            }
        }
        return items;
    }

    private Expression dict() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.accept(Kind.OPERATOR, "}")) {
            keys.add(expression());
            tokens.expect(Kind.OPERATOR, ":", "':'");
            values.add(expression());
            if (!tokens.accept(Kind.OPERATOR, ",") && !tokens.isNext(Kind.OPERATOR, "}")) {
                throw TokenReader.unexpected(tokens.peek(), "',' or '}'");
            }
        }
        return new Expression.DictOf(keys, values);
    }

    private Expression nested(Supplier<Expression> rule) {
        if (++depth > MAX_DEPTH) {
            throw TemplateException.at(tokens.line(), "expressions are nested more than " + MAX_DEPTH + " deep");
        }
        try {
            return rule.get();
        } finally {
            depth--;
        }
    }

    private ExpressionParser after() {
        tokens.next();
        return this;
    }
}
