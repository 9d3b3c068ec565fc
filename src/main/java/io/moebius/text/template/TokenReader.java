package io.moebius.text.template;

import io.moebius.text.template.Token.Kind;
import java.util.List;
import java.util.Locale;

/** Hands out tokens one after the other, the last of them again and again. */
final class TokenReader {

    private final List<Token> tokens;
    private int at;

    /** @param tokens of which the last is the end */
    TokenReader(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    boolean isNext(Kind kind, String text) {
        return peek().is(kind, text);
    }

    /** Whether the token behind the next one is this; the next one must not be the end. */
    boolean isSecond(Kind kind, String text) {
        return tokens.get(at + 1).is(kind, text);
    }

    /** Of the next token. */
    int line() {
        return peek().line();
    }

    Token next() {
        Token token = peek();
        if (token.kind() != Kind.END) {
            at++;
        }
        return token;
    }

    /** Takes the next token if it is this one. */
    boolean accept(Kind kind, String text) {
        if (isNext(kind, text)) {
            at++;
            return true;
        }
        return false;
    }

    /** @param what for the message if it is something else */
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
        String found = token.text().isEmpty() ? token.kind().name().toLowerCase(Locale.ROOT).replace('_', ' ') : token.text();
        return TemplateException.at(token.line(), "found '" + found + "', expected " + what);
    }
}
