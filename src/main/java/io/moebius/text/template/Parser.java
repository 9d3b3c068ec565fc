package io.moebius.text.template;

import io.moebius.text.template.Expression.Arguments;
import io.moebius.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Statements: if, for, set, macro, filter, break, continue, and transformers' generation, which changes no text. */
final class Parser {

    private static final int MAX_DEPTH = 50;

    private final TokenReader tokens;
    private final ExpressionParser expressions;
    private int depth;

    private Parser(TokenReader tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    static List<Node> parse(String source) {
        Parser parser = new Parser(new TokenReader(Lexer.tokens(source)));
        List<Node> nodes = parser.body(Set.of());
        if (parser.tokens.peek().kind() != Kind.END) {
            throw TokenReader.unexpected(parser.tokens.peek(), "the end of the template");
        }
        return nodes;
    }

    /** Statements up to a block whose name is one of {@code ends}; that name is left to read. */
    private List<Node> body(Set<String> ends) {
        if (++depth > MAX_DEPTH) {
            throw TemplateException.at(tokens.line(), "blocks are nested more than " + MAX_DEPTH + " deep");
        }
        List<Node> nodes = new ArrayList<>();
        while (tokens.peek().kind() != Kind.END) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> nodes.add(new Node.Text(token.text()));
                case OPEN_OUTPUT -> {
                    nodes.add(new Node.Output(expressions.tuple()));
                    tokens.expect(Kind.CLOSE_OUTPUT, "'}}'");
                }
                case OPEN_BLOCK -> {
                    if (ends.contains(tokens.peek().text())) {
                        depth--;
                        return nodes;
                    }
                    statement(nodes);
                }
                default -> throw TokenReader.unexpected(token, "text or a tag");
            }
        }
        if (!ends.isEmpty()) {
            throw TemplateException.at(tokens.line(), "the template ends inside a block; expected " + String.join(" or ", ends));
        }
        depth--;
        return nodes;
    }

    private void statement(List<Node> nodes) {
        Token name = tokens.expect(Kind.NAME, "a statement");
        switch (name.text()) {
            case "if" -> nodes.add(conditional());
            case "for" -> nodes.add(loop(name.line()));
            case "set" -> nodes.add(assignment(name.line()));
            case "macro" -> nodes.add(macro());
            case "filter" -> nodes.add(filter(name.line()));
            case "break" -> nodes.add(new Node.Break());
            case "continue" -> nodes.add(new Node.Continue());
            case "generation" -> {
                close();
                nodes.addAll(body(Set.of("endgeneration")));
                tokens.next();
            }
            default -> throw TemplateException.at(name.line(), "the statement " + name.text() + " is not supported");
        }
        close();
    }

    private void close() {
        tokens.expect(Kind.CLOSE_BLOCK, "'%}'");
    }

    private Node conditional() {
        List<Expression> conditions = new ArrayList<>();
        List<List<Node>> branches = new ArrayList<>();
        String end = "elif";
        while (end.equals("elif")) {
            conditions.add(expressions.tuple());
            close();
            branches.add(body(Set.of("elif", "else", "endif")));
            end = tokens.next().text();
        }
        if (end.equals("else")) {
            close();
            conditions.add(new Expression.Literal(true));
            branches.add(body(Set.of("endif")));
            tokens.next();
        }
        return new Node.If(conditions, branches);
    }

    private Node loop(int line) {
        List<String> targets = names();
        tokens.expect(Kind.NAME, "in", "'in'");
        Expression items = expressions.withoutCondition();
        Expression filter = tokens.accept(Kind.NAME, "if") ? expressions.expression() : null;
        tokens.accept(Kind.NAME, "recursive");
        close();
        List<Node> body = body(Set.of("else", "endfor"));
        List<Node> otherwise = List.of();
        if (tokens.next().text().equals("else")) {
            close();
            otherwise = body(Set.of("endfor"));
            tokens.next();
        }
        return new Node.For(targets, items, filter, body, otherwise, line);
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        boolean parenthesis = tokens.accept(Kind.OPERATOR, "(");
        do {
            names.add(tokens.expect(Kind.NAME, "a name").text());
        } while (tokens.accept(Kind.OPERATOR, ","));
        if (parenthesis) {
            tokens.expect(Kind.OPERATOR, ")", "')'");
        }
        return names;
    }

    private Node assignment(int line) {
        List<Expression> targets = new ArrayList<>();
        do {
            Token name = tokens.expect(Kind.NAME, "a name");
            Expression target = new Expression.Name(name.text(), line);
            if (tokens.accept(Kind.OPERATOR, ".")) {
                target = new Expression.Attribute(target, tokens.expect(Kind.NAME, "a name").text(), line);
            }
            targets.add(target);
        } while (tokens.accept(Kind.OPERATOR, ","));
        if (tokens.accept(Kind.OPERATOR, "=")) {
            return new Node.Assign(targets, expressions.tuple(), line);
        }
        close();
        Node node = new Node.AssignBlock(targets.getFirst(), body(Set.of("endset")), line);
        tokens.next();
        return node;
    }

    private Node macro() {
        String name = tokens.expect(Kind.NAME, "a macro's name").text();
        tokens.expect(Kind.OPERATOR, "(", "'('");
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        while (!tokens.accept(Kind.OPERATOR, ")")) {
            parameters.add(tokens.expect(Kind.NAME, "a parameter").text());
            defaults.add(tokens.accept(Kind.OPERATOR, "=") ? expressions.expression() : null);
            tokens.accept(Kind.OPERATOR, ",");
        }
        close();
        List<Node> body = body(Set.of("endmacro"));
        tokens.next();
        return new Node.Macro(name, parameters, defaults, body);
    }

    private Node filter(int line) {
        String name = tokens.expect(Kind.NAME, "a filter's name").text();
        Arguments arguments = tokens.accept(Kind.OPERATOR, "(") ? expressions.arguments() : Arguments.NONE;
        close();
        List<Node> body = body(Set.of("endfilter"));
        tokens.next();
        return new Node.FilterBlock(name, arguments, body, line);
    }
}
